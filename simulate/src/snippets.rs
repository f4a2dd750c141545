//! Short pieces of code for replies, by the label of their fence. Invented for this file.

/// Three for each label, in the order of `calibration::CODE`.
pub(crate) const SNIPPETS: [(&str, [&str; 3]); 10] = [
    (
        "python",
        [
            "def total(orders):\n    out = {}\n    for o in orders:\n        out[o.who] = out.get(o.who, 0) + o.sum\n    return out",
            "with open(path) as f:\n    words = f.read().split()\nprint(len(words))",
            "for attempt in range(5):\n    if send(item):\n        break\n    time.sleep(2 ** attempt)",
        ],
    ),
    (
        "typescript",
        [
            "export function total(orders: Order[]): Map<string, number> {\n  return group(orders, (o) => o.who);\n}",
            "const words: string[] = text.split(\" \");\nconst count: number = words.length;",
            "interface Retry { delay: number; left: number }\nconst next = (r: Retry): Retry => ({ delay: r.delay * 2, left: r.left - 1 });",
        ],
    ),
    (
        "javascript",
        [
            "const total = orders.reduce((sum, order) => sum + order.amount, 0);\nconsole.log(total);",
            "function words(text) {\n  return text.split(/\\s+/).filter(Boolean).length;\n}",
            "document.querySelector(\"#go\").addEventListener(\"click\", () => load());",
        ],
    ),
    (
        "rust",
        [
            "fn total(orders: &[Order]) -> u64 {\n    orders.iter().map(|order| order.amount).sum()\n}",
            "let mut count = HashMap::new();\nfor word in text.split_whitespace() {\n    *count.entry(word).or_insert(0) += 1;\n}",
            "impl Iterator for Delays {\n    type Item = u64;\n    fn next(&mut self) -> Option<u64> { self.0 *= 2; Some(self.0) }\n}",
        ],
    ),
    (
        "go",
        [
            "func total(orders []Order) int {\n\tsum := 0\n\tfor _, o := range orders {\n\t\tsum += o.Amount\n\t}\n\treturn sum\n}",
            "count := map[string]int{}\nfor _, w := range strings.Fields(text) {\n\tcount[w]++\n}",
            "if err := send(item); err != nil {\n\ttime.Sleep(delay)\n\tdelay *= 2\n}",
        ],
    ),
    (
        "java",
        [
            "public int total(List<Order> orders) {\n    return orders.stream().mapToInt(Order::amount).sum();\n}",
            "Map<String, Integer> count = new HashMap<>();\nfor (String w : words) count.merge(w, 1, Integer::sum);",
            "private static long delay(int attempt) {\n    return 100L << attempt;\n}",
        ],
    ),
    (
        "cpp",
        [
            "int total(const std::vector<Order>& orders) {\n  int sum = 0;\n  for (auto& o : orders) sum += o.amount;\n  return sum;\n}",
            "std::map<std::string, int> count;\nfor (std::string w; std::cin >> w;) ++count[w];",
            "template <typename T>\nT next(T delay) { return delay * 2; }",
        ],
    ),
    (
        "sql",
        [
            "SELECT customer_id, sum(amount) AS total\nFROM orders\nGROUP BY customer_id\nORDER BY total DESC;",
            "SELECT word, count(*) FROM words GROUP BY word HAVING count(*) > 1;",
            "UPDATE jobs SET attempts = attempts + 1 WHERE state = 'failed';",
        ],
    ),
    (
        "bash",
        [
            "for file in *.log; do\n  wc -l \"$file\"\ndone | sort -n",
            "tr -s ' ' '\\n' < \"$1\" | sort | uniq -c | sort -rn | head",
            "until curl -sf \"$url\"; do\n  sleep \"$delay\"\n  delay=$((delay * 2))\ndone",
        ],
    ),
    (
        "html",
        [
            "<table>\n  <tr><th>Customer</th><th>Total</th></tr>\n</table>",
            "<form action=\"/count\" method=\"post\">\n  <textarea name=\"text\"></textarea>\n</form>",
            "<ul class=\"orders\">\n  <li>First</li>\n  <li>Second</li>\n</ul>",
        ],
    ),
];
