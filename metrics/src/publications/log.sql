-- Publications that replaced rows of closed dates, oldest first.
SELECT number, published_at, revised FROM publications WHERE revised IS NOT NULL ORDER BY number
