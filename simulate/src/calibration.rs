//! The published figures that the traffic is shaped after, each with where it comes from.
//!
//! "Rankings" are a large public router's rankings pages and data API, "health" its public endpoint statistics,
//! both as read in July to September 2026. A figure marked "demo" is a choice of ours, with its reason.

/// Demo: a year of history is written within two minutes on two cores, beside the site that shows it.
pub const ATTEMPTS_PER_YEAR: u64 = 8_000_000;

/// Length of the calibrated curve, which ends with the configured day.
pub const DAYS_PER_YEAR: i64 = 365;

/// Rankings: weekly tokens grew 25.6-fold in 51 weeks.
pub const GROWTH_OVER_YEAR: f64 = 25.6;

/// Demo: a day holds at least so many requests, and at least a third of the mean day in years that are smaller
/// than that. At the published growth the first months of a small year would hold too few to draw; a year of the
/// default size stays above this from its first day.
pub const LEAST_REQUESTS_A_DAY: f64 = 400.0;

/// Demo: growth per day after the calibrated year, so that a demo left running neither stalls nor explodes.
pub const GROWTH_PER_DAY_AFTER: f64 = 1.0005;

/// Rankings: tokens by weekday, Monday first, over the mean.
pub const WEEKDAY: [f64; 7] = [1.06, 1.06, 1.09, 1.08, 1.03, 0.85, 0.87];

/// Demo: requests by hour of the UTC day over the mean; public figures give days only. The peak follows
/// office hours in Europe and America, the trough is the American night.
pub const HOUR: [f64; 24] = [
    0.92, 0.88, 0.86, 0.85, 0.84, 0.84, 0.86, 0.90, 0.96, 1.01, 1.04, 1.06, 1.09, 1.15, 1.20, 1.22, 1.21,
    1.18, 1.13, 1.08, 1.03, 0.99, 0.97, 0.95,
];

/// Weeks before the end that the columns of [`AUTHORS`] stand for.
pub const AUTHOR_WEEKS: [f64; 5] = [52.0, 39.0, 26.0, 13.0, 0.0];

/// Share of tokens by author, percent. Rankings: the outer columns (a year ago x-ai 27.4, google 18.3,
/// anthropic 14.7, deepseek 11.3, openai 11.1; now deepseek 19.1, openai 18.8, tencent 16.3, z-ai 12.9,
/// xiaomi 6.3, google 5.9, anthropic 3.8, nvidia 3.8, meta 1.9) and google's peak of 34 to 35. The columns
/// between and the small authors are drawn through them; shares are normalised after interpolation.
pub const AUTHORS: [(&str, [f64; 5]); 18] = [
    ("deepseek", [11.3, 8.0, 13.0, 15.5, 19.1]),
    ("openai", [11.1, 8.5, 12.5, 16.5, 18.8]),
    ("tencent", [0.0, 0.0, 6.0, 13.5, 16.3]),
    ("z-ai", [0.8, 3.0, 10.0, 12.5, 12.9]),
    ("xiaomi", [0.0, 0.0, 0.0, 3.0, 6.3]),
    ("google", [18.3, 34.5, 22.0, 10.0, 5.9]),
    ("anthropic", [14.7, 12.0, 9.0, 6.0, 3.8]),
    ("nvidia", [0.2, 0.4, 1.0, 2.2, 3.8]),
    ("meta-llama", [4.5, 3.2, 2.6, 2.2, 1.9]),
    ("x-ai", [27.4, 20.0, 9.0, 3.0, 1.4]),
    ("qwen", [4.0, 3.0, 6.0, 6.2, 3.6]),
    ("mistralai", [3.5, 2.5, 2.0, 1.7, 1.6]),
    ("moonshotai", [0.5, 1.2, 2.5, 2.2, 1.5]),
    ("minimax", [0.0, 0.8, 2.2, 1.6, 1.2]),
    ("microsoft", [1.2, 0.7, 0.6, 0.5, 0.5]),
    ("cohere", [1.2, 0.6, 0.5, 0.5, 0.5]),
    ("nousresearch", [1.3, 0.6, 0.5, 0.5, 0.5]),
    ("arcee-ai", [0.0, 0.0, 0.0, 0.2, 0.4]),
];

/// Demo: the same columns for all other authors together. Rankings give shares of the largest only, and say
/// that the fifty largest models hold 93.4 %.
pub const OTHER_AUTHORS: [f64; 5] = [3.0, 2.6, 2.2, 2.0, 1.8];

/// Rankings: a model's tokens change from day to day by a factor whose logarithm has a deviation of 0.30 to
/// 0.47; two independent days of 0.22 differ by 0.31.
pub const MODEL_DAY_SIGMA: f64 = 0.22;

/// Demo: authors wander less than their models, so that the year's shares stay near [`AUTHORS`].
pub const AUTHOR_DAY_SIGMA: f64 = 0.05;

/// Mean tokens of the two kinds of request, in thousands. Rankings: agentic about 53 k, conversational 3.8 k.
pub const AGENTIC_K_TOKENS: f64 = 53.0;
pub const CONVERSATION_K_TOKENS: f64 = 3.8;

/// Deviation of the logarithm of input tokens within each kind, chosen so that the context buckets come near
/// the published 29.0 / 44.9 / 19.4 / 6.7 % of requests up to 1 K, 10 K, 100 K and above.
pub const AGENTIC_SIGMA: f64 = 1.15;
pub const CONVERSATION_SIGMA: f64 = 1.35;

/// Demo: deviation of the logarithm of output tokens within a model. Rankings give only the spread of means
/// across models (115 to 1,160), which the roster carries.
pub const OUTPUT_SIGMA: f64 = 0.85;

/// Share of requests of each kind that end in tool calls. Rankings: 0.26 tool calls per request, which these
/// two give with 1.31 calls in each such reply.
pub const AGENTIC_TOOL_FINISH: f64 = 0.60;
pub const CONVERSATION_TOOL_FINISH: f64 = 0.05;

/// Health: share of faults among an endpoint's attempts, percent, at quantiles over endpoints (median 0.37,
/// p75 1.9, p95 10.8); the ends are ours.
pub const FAULT_PERCENT: [(f64, f64); 5] = [(0.0, 0.03), (0.5, 0.37), (0.75, 1.9), (0.95, 10.8), (1.0, 16.0)];

/// Demo: providers with real names must not look bad, not even by chance in half an hour of a few dozen calls,
/// so their endpoints stay below this share of faults. The median over endpoints falls to it.
pub const FAULT_PERCENT_NAMED: f64 = 0.2;

/// Health: share of 429 among an endpoint's attempts, percent, at quantiles over endpoints (median 0.07,
/// p75 4.3, p95 42.9); the ends are ours.
pub const RATE_LIMIT_PERCENT: [(f64, f64); 5] =
    [(0.0, 0.01), (0.5, 0.07), (0.75, 4.3), (0.95, 42.9), (1.0, 55.0)];

/// Health: median TTFT of an endpoint, ms, at quantiles over endpoints (5/25/50/75/95 %); the ends are ours.
pub const TTFT_MS: [(f64, f64); 7] =
    [(0.0, 210.0), (0.05, 293.0), (0.25, 567.0), (0.5, 979.0), (0.75, 1775.0), (0.95, 4099.0), (1.0, 5600.0)];

/// Health: median decode throughput of an endpoint, tokens/s, at the same quantiles; the ends are ours.
pub const THROUGHPUT: [(f64, f64); 7] =
    [(0.0, 8.0), (0.05, 11.0), (0.25, 29.0), (0.5, 45.5), (0.75, 70.0), (0.95, 138.0), (1.0, 240.0)];

/// Health: within one endpoint TTFT has p90/p50 2.32 and p99/p50 6.84, a heavier tail than log-normal.
/// Points are (standard normal quantile, natural logarithm of the ratio to the median).
pub const TTFT_SPREAD: [(f64, f64); 7] = [
    (-3.5, -1.55),
    (-1.2816, -0.62),
    (0.0, 0.0),
    (1.2816, 0.841_57),
    (2.3263, 1.922_79),
    (3.0902, 2.75),
    (3.9, 3.4),
];

/// Health: within one endpoint throughput has p90/p50 1.63, so the logarithm deviates by ln 1.63 / 1.2816.
pub const THROUGHPUT_SIGMA: f64 = 0.381;

/// Health: router overhead about 30 ms; the spread is ours.
pub const OVERHEAD_MEDIAN_US: f64 = 30_000.0;
pub const OVERHEAD_SIGMA: f64 = 0.45;

/// Demo: a request fails over to another endpoint after a fault or a 429 with this probability, at most to
/// [`MAX_ATTEMPTS`] calls; some callers pin a provider.
pub const FALLBACK: f64 = 0.94;
pub const MAX_ATTEMPTS: usize = 3;
/// A provider call ends after this at the latest, ms.
pub const LONGEST_CALL_MS: i32 = 3_600_000;
/// Hence no request that started this many minutes ago still runs.
pub const LONGEST_REQUEST_MINUTES: i64 = MAX_ATTEMPTS as i64 * 60 + 1;

/// Demo: requests that the router itself refuses or loses, that its cache answers, that the caller got wrong
/// and that the caller left. Health publishes only attempts that reached a provider.
pub const GATEWAY_ERROR: f64 = 0.003;
pub const GATEWAY_CACHE_HIT: f64 = 0.010;
pub const CLIENT_ERROR: f64 = 0.007;
pub const CANCELLED: f64 = 0.012;

/// Demo: active users on the first and last day of the calibrated year.
pub const USERS_AT_START: f64 = 4_000.0;
pub const USERS_AT_END: f64 = 20_000.0;
/// Demo: exponent of the activity of a user by rank.
pub const USER_ZIPF: f64 = 0.6;
/// Rankings: foundational cohorts keep about 40 % after five months, most models far less. Share of users
/// that stay for good; the others leave after an exponential time with this mean.
pub const USER_STAYS: f64 = 0.35;
pub const USER_LIFE_DAYS: f64 = 60.0;
/// Rankings: some of those that left return ("boomerang"). Share of them, and the bounds of the days away; ours.
pub const USER_RETURNS: f64 = 0.2;
pub const USER_AWAY_DAYS: (f64, f64) = (21.0, 120.0);
/// Demo: share of requests that carry a user id.
pub const USER_KNOWN: f64 = 0.97;

/// Demo: share of requests for which a user keeps to the model of the month.
pub const USER_HABIT: f64 = 0.6;

/// Language of a user, percent. Rankings by tokens: English 82.9, Chinese 5.0, Russian 2.5, Spanish 1.4,
/// Thai 1.0, Japanese about 0.5. Demo: others than English are doubled and Japanese is raised further, so
/// that a cross such as Japanese with Python has 100 labelled requests a week at the demo's size.
pub const LANGUAGES: [(&str, f64); 13] = [
    ("en", 69.0),
    ("zh", 10.0),
    ("ru", 5.0),
    ("es", 2.8),
    ("th", 2.0),
    ("ja", 4.0),
    ("de", 1.6),
    ("fr", 1.4),
    ("pt", 1.2),
    ("ko", 1.0),
    ("hi", 0.6),
    ("ar", 0.6),
    ("vi", 0.8),
];

/// Demo: share of a user's requests in another language than English that are written in English.
pub const ENGLISH_AWAY: f64 = 0.08;

/// Countries by language, percent, chosen so that the sum over languages meets the published geography by
/// tokens: North America 47, Asia 29, Europe 21.
pub const COUNTRIES: [(&str, &[(&str, f64)]); 13] = [
    (
        "en",
        &[
            ("US", 57.5),
            ("CA", 5.8),
            ("MX", 0.6),
            ("BR", 0.8),
            ("AR", 0.3),
            ("CL", 0.2),
            ("CO", 0.2),
            ("PE", 0.1),
            ("IN", 9.4),
            ("SG", 2.2),
            ("ID", 1.3),
            ("PH", 1.0),
            ("PK", 0.5),
            ("BD", 0.4),
            ("JP", 0.4),
            ("KR", 0.3),
            ("MY", 0.4),
            ("LK", 0.1),
            ("TH", 0.2),
            ("VN", 0.2),
            ("HK", 0.2),
            ("TW", 0.2),
            ("NP", 0.1),
            ("GB", 5.6),
            ("DE", 2.4),
            ("NL", 1.4),
            ("PL", 1.2),
            ("SE", 0.7),
            ("FR", 0.6),
            ("IT", 0.5),
            ("ES", 0.4),
            ("IE", 0.4),
            ("CH", 0.3),
            ("UA", 0.4),
            ("RO", 0.3),
            ("CZ", 0.3),
            ("DK", 0.3),
            ("NO", 0.3),
            ("FI", 0.3),
            ("AT", 0.2),
            ("BE", 0.2),
            ("PT", 0.2),
            ("GR", 0.1),
            ("HU", 0.1),
            ("BG", 0.1),
            ("EE", 0.1),
            ("LT", 0.1),
            ("HR", 0.1),
            ("RS", 0.1),
            ("IS", 0.1),
            ("AU", 1.6),
            ("NZ", 0.3),
            ("NG", 0.6),
            ("ZA", 0.6),
            ("KE", 0.3),
            ("EG", 0.2),
            ("GH", 0.1),
            ("MA", 0.1),
            ("IL", 0.5),
            ("TR", 0.4),
            ("AE", 0.4),
            ("SA", 0.1),
        ],
    ),
    ("zh", &[("CN", 62.0), ("SG", 10.0), ("TW", 12.0), ("HK", 10.0), ("US", 6.0)]),
    ("ru", &[("RU", 80.0), ("KZ", 8.0), ("DE", 7.0), ("GE", 5.0)]),
    ("es", &[("ES", 34.0), ("MX", 27.0), ("US", 15.0), ("AR", 13.0), ("CO", 11.0)]),
    ("th", &[("TH", 100.0)]),
    ("ja", &[("JP", 96.0), ("US", 4.0)]),
    ("de", &[("DE", 76.0), ("AT", 11.0), ("CH", 13.0)]),
    ("fr", &[("FR", 74.0), ("CA", 12.0), ("BE", 9.0), ("CH", 5.0)]),
    ("pt", &[("BR", 76.0), ("PT", 24.0)]),
    ("ko", &[("KR", 100.0)]),
    ("hi", &[("IN", 100.0)]),
    ("ar", &[("SA", 40.0), ("AE", 35.0), ("EG", 25.0)]),
    ("vi", &[("VN", 100.0)]),
];

/// Programming language of the code in a reply, percent. Rankings: Python is about a quarter of
/// English-tagged code traffic; the others are ours.
pub const CODE: [(&str, f64); 10] = [
    ("python", 25.0),
    ("typescript", 20.0),
    ("javascript", 14.0),
    ("rust", 7.0),
    ("go", 7.0),
    ("java", 8.0),
    ("cpp", 6.0),
    ("sql", 5.0),
    ("bash", 4.0),
    ("html", 4.0),
];

/// Demo: share of Python among Japanese prompts with code; a visible difference between languages is what the
/// cross is for.
pub const PYTHON_IN_JAPANESE: f64 = 0.50;

/// Rankings by tokens: task families code 37, agent 35, general 23, data 6 %. Share of requests from coding
/// apps and of all others that carry a code block.
pub const CODE_FROM_AGENTS: f64 = 0.75;
pub const CODE_FROM_CHAT: f64 = 0.12;

/// Demo: apps as (name, percent of agentic requests, percent of conversations). Rankings: the largest app carries
/// 11 T of 127 T tokens a week, at 98 k tokens a request. Names starting with `app-` stand for private apps, of
/// which [`PRIVATE_APPS`] more share what is left of a hundred.
pub const APPS: [(&str, f64, f64); 40] = [
    ("kilo-code", 11.0, 1.0),
    ("cline", 12.0, 1.0),
    ("roo-code", 8.0, 1.0),
    ("openhands", 6.0, 1.0),
    ("zed", 4.5, 2.0),
    ("n8n", 4.0, 6.0),
    ("aider", 3.0, 0.4),
    ("continue", 2.2, 0.5),
    ("opencode", 6.0, 0.3),
    ("goose", 1.4, 0.2),
    ("crush", 1.2, 0.1),
    ("void", 0.7, 0.1),
    ("dify", 1.2, 3.0),
    ("flowise", 0.6, 1.5),
    ("langflow", 0.5, 1.0),
    ("crewai", 0.8, 0.3),
    ("browser-use", 1.3, 0.2),
    ("smolagents", 0.4, 0.1),
    ("sweep", 0.3, 0.0),
    ("tabby", 0.4, 0.1),
    ("open-webui", 0.8, 11.0),
    ("sillytavern", 0.4, 10.0),
    ("librechat", 0.4, 6.5),
    ("janitor", 0.0, 12.0),
    ("lobe-chat", 0.2, 4.0),
    ("anything-llm", 0.2, 2.2),
    ("chatbox", 0.1, 2.5),
    ("jan", 0.1, 1.2),
    ("big-agi", 0.0, 0.8),
    ("typingmind", 0.1, 1.5),
    ("msty", 0.0, 0.7),
    ("cherry-studio", 0.2, 2.4),
    ("agnai", 0.0, 0.6),
    ("risuai", 0.0, 1.1),
    ("obsidian-copilot", 0.1, 0.6),
    ("app-7f3a", 5.0, 4.5),
    ("app-c210", 3.6, 3.4),
    ("app-94be", 2.4, 2.8),
    ("app-e05d", 1.1, 2.2),
    ("app-1b68", 0.5, 1.7),
];
pub const PRIVATE_APPS: usize = 270;

/// Demo: outages of endpoints with invented names in runs. Chance of one beginning on a day, and of one of
/// the whole provider; length 10 minutes to 6 hours.
pub const OUTAGE_PER_ENDPOINT_DAY: f64 = 0.035;
pub const OUTAGE_PER_PROVIDER_DAY: f64 = 0.03;
/// Demo: chance that a storm of 429 begins on a day, at any endpoint.
pub const STORM_PER_ENDPOINT_DAY: f64 = 0.02;
pub const OUTAGE_MINUTES: (f64, f64) = (10.0, 360.0);

/// Demo: days before the end from which one invented provider is down and another degraded at any minute.
pub const SHOWCASE_DAYS: i64 = 1;

/// Rankings: dearest over cheapest price of one model at quantiles over models (median 1.10, p75 1.92,
/// p95 5.9); the ends are ours.
pub const PRICE_SPREAD: [(f64, f64); 5] = [(0.0, 1.0), (0.5, 1.10), (0.75, 1.92), (0.95, 5.9), (1.0, 6.5)];
/// Demo: price of input read from the prompt cache over the price of input.
pub const CACHED_PRICE: f64 = 0.25;
/// Demo: the provider whose logs carry no price.
pub const UNPRICED_PROVIDER: &str = "tern";
