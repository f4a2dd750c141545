SELECT * FROM publications ORDER BY number DESC LIMIT 1
