//! Who takes part: providers, models and where each model is served. Names are labels; the figures are
//! made up to fit `calibration`, and only providers with invented names ever look bad.

/// A provider. `pace` orders its endpoints from fast (0) to slow (1); `invented` ones may fail.
pub(crate) struct ProviderRow {
    pub id: &'static str,
    pub pace: f64,
    pub cache_hit: f64,
    pub invented: bool,
    /// Region that serves callers from the Americas, Europe and Africa, Asia and Oceania.
    pub regions: [&'static str; 3],
}

/// A model or variant of it. Days count from the last day of the calibrated year: launches and retirements
/// within the year are negative numbers above −364.
pub(crate) struct ModelRow {
    /// `author/slug`, with `:variant` where it is not the standard one.
    pub name: &'static str,
    pub launch: i64,
    pub retire: Option<i64>,
    /// Weight within the author a year ago (or at launch) and now.
    pub weight: (f64, f64),
    /// Mean tokens of a request, in thousands, and mean output tokens of it.
    pub k_tokens: f64,
    pub output: f64,
    /// USD per million input and output tokens at the cheapest endpoint; None costs nothing.
    pub price: Option<(f64, f64)>,
    /// Share of input read from the provider's prompt cache where the provider is average.
    pub cached: f64,
    pub kind: Kind,
    /// Provider and share of the model's requests that are sent there first.
    pub endpoints: &'static [(&'static str, f64)],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    /// Thinks before it answers: part of the output is reasoning.
    Reasons,
    /// Takes images.
    Sees,
    Embeds,
    Batch,
}

const fn provider(
    id: &'static str,
    pace: f64,
    cache_hit: f64,
    invented: bool,
    regions: [&'static str; 3],
) -> ProviderRow {
    ProviderRow { id, pace, cache_hit, invented, regions }
}

const WORLD: [&str; 3] = ["us-east", "eu-west", "ap-southeast"];
const ATLANTIC: [&str; 3] = ["us-east", "eu-west", "us-west"];
const AMERICA: [&str; 3] = ["us-west", "us-east", "us-west"];
const EUROPE: [&str; 3] = ["eu-west", "eu-west", "eu-north"];
const CHINA: [&str; 3] = ["ap-singapore", "ap-singapore", "cn-east"];

/// Cache hit shares span the published 44 to 95 % by provider where prompts repeat.
pub(crate) const PROVIDERS: [ProviderRow; 21] = [
    provider("deepseek", 0.45, 1.20, false, CHINA),
    provider("openai", 0.35, 1.05, false, ATLANTIC),
    provider("anthropic", 0.45, 1.25, false, ATLANTIC),
    provider("google-vertex", 0.30, 0.90, false, WORLD),
    provider("azure", 0.40, 0.95, false, WORLD),
    provider("amazon-bedrock", 0.50, 0.85, false, WORLD),
    provider("xai", 0.40, 1.05, false, AMERICA),
    provider("z-ai", 0.55, 1.10, false, CHINA),
    provider("tencent-cloud", 0.60, 1.00, false, CHINA),
    provider("xiaomi", 0.55, 1.00, false, CHINA),
    provider("mistral", 0.35, 0.80, false, EUROPE),
    provider("siliconflow", 0.75, 0.80, false, CHINA),
    provider("deepinfra", 0.55, 0.70, false, AMERICA),
    provider("novita", 0.70, 0.65, false, AMERICA),
    provider("together", 0.40, 0.70, false, ATLANTIC),
    provider("groq", 0.00, 0.75, false, ATLANTIC),
    provider("fireworks", 0.20, 0.85, false, ATLANTIC),
    provider("larkspur", 0.80, 0.60, true, AMERICA),
    provider("harbour", 0.65, 0.65, true, EUROPE),
    provider("wren-cloud", 0.85, 0.55, true, WORLD),
    provider("tern", 0.90, 0.50, true, CHINA),
];

const fn model(
    name: &'static str,
    (launch, retire): (i64, Option<i64>),
    weight: (f64, f64),
    (k_tokens, output): (f64, f64),
    price: Option<(f64, f64)>,
    (kind, cached): (Kind, f64),
    endpoints: &'static [(&'static str, f64)],
) -> ModelRow {
    ModelRow { name, launch, retire, weight, k_tokens, output, price, cached, kind, endpoints }
}

use Kind::{Batch, Embeds, Reasons, Sees, Text};

/// Older than the calibrated year and still served.
const ALWAYS: (i64, Option<i64>) = (-500, None);

const OPENAI: &[(&str, f64)] = &[("openai", 68.0), ("azure", 32.0)];
const ANTHROPIC: &[(&str, f64)] = &[("anthropic", 52.0), ("amazon-bedrock", 26.0), ("google-vertex", 22.0)];
const VERTEX: &[(&str, f64)] = &[("google-vertex", 100.0)];

/// Launches come in bursts, as releases of rivals do.
#[rustfmt::skip]
pub(crate) const MODELS: &[ModelRow] = &[
    model("deepseek/deepseek-v3.2", (-303, None), (1.0, 13.6), (21.4, 620.0), Some((0.24, 0.36)), (Text, 0.62), &[
        ("deepseek", 28.0), ("larkspur", 22.0), ("harbour", 20.0), ("deepinfra", 8.0), ("novita", 5.0), ("together", 4.0),
        ("wren-cloud", 3.0), ("fireworks", 2.5), ("siliconflow", 2.5), ("azure", 2.0), ("groq", 1.5), ("tern", 1.5)]),
    model("deepseek/deepseek-v3.2:batch", (-120, None), (0.2, 0.5), (22.7, 700.0), Some((0.12, 0.18)), (Batch, 0.50), &[("deepseek", 100.0)]),
    model("deepseek/deepseek-r1", ALWAYS, (3.0, 2.3), (8.2, 1150.0), Some((0.55, 2.19)), (Reasons, 0.35), &[
        ("larkspur", 40.0), ("deepseek", 22.0), ("wren-cloud", 12.0), ("deepinfra", 8.0), ("together", 6.0), ("novita", 5.0), ("fireworks", 4.0), ("azure", 3.0)]),
    model("deepseek/deepseek-v3.1", (-352, None), (5.0, 2.0), (16.3, 560.0), Some((0.27, 1.00)), (Text, 0.48), &[
        ("deepseek", 40.0), ("harbour", 16.0), ("siliconflow", 14.0), ("deepinfra", 12.0), ("novita", 9.0), ("tern", 9.0)]),
    model("deepseek/deepseek-v3", (-500, Some(-150)), (4.0, 0.6), (9.4, 480.0), Some((0.20, 0.80)), (Text, 0.40), &[
        ("deepseek", 55.0), ("deepinfra", 25.0), ("novita", 20.0)]),
    model("deepseek/deepseek-r1:free", ALWAYS, (0.6, 0.25), (7.1, 980.0), None, (Reasons, 0.20), &[("tern", 60.0), ("novita", 40.0)]),

    model("openai/gpt-5-mini", (-310, None), (1.5, 8.9), (11.9, 610.0), Some((0.25, 2.00)), (Reasons, 0.55), OPENAI),
    model("openai/gpt-5", (-310, None), (2.0, 4.0), (24.8, 1160.0), Some((1.25, 10.0)), (Reasons, 0.60), OPENAI),
    model("openai/gpt-oss-120b", (-296, None), (0.5, 2.8), (9.7, 540.0), Some((0.09, 0.36)), (Reasons, 0.30), &[
        ("harbour", 38.0), ("groq", 18.0), ("deepinfra", 11.0), ("wren-cloud", 6.0), ("larkspur", 5.0), ("together", 7.0), ("fireworks", 6.0), ("novita", 5.0), ("amazon-bedrock", 4.0)]),
    model("openai/gpt-oss-20b", (-296, None), (0.2, 0.35), (5.2, 430.0), Some((0.05, 0.20)), (Reasons, 0.25), &[
        ("groq", 45.0), ("wren-cloud", 20.0), ("deepinfra", 20.0), ("tern", 15.0)]),
    model("openai/gpt-4.1-mini", ALWAYS, (3.0, 1.4), (6.8, 290.0), Some((0.40, 1.60)), (Sees, 0.45), OPENAI),
    model("openai/gpt-4.1", (-500, Some(-70)), (3.2, 0.5), (12.6, 380.0), Some((2.00, 8.00)), (Sees, 0.48), OPENAI),
    model("openai/gpt-5-nano", (-304, None), (0.3, 0.6), (4.6, 520.0), Some((0.05, 0.40)), (Reasons, 0.30), OPENAI),
    model("openai/gpt-4o-mini", ALWAYS, (2.0, 0.45), (4.1, 250.0), Some((0.15, 0.60)), (Sees, 0.25), OPENAI),
    model("openai/o4-mini", (-500, None), (1.2, 0.3), (14.1, 1100.0), Some((1.10, 4.40)), (Reasons, 0.40), &[("openai", 100.0)]),
    model("openai/text-embedding-3-small", ALWAYS, (0.03, 0.05), (0.62, 0.0), Some((0.02, 0.0)), (Embeds, 0.0), OPENAI),

    model("tencent/hunyuan-a13b-instruct", (-214, None), (4.0, 10.6), (47.8, 760.0), Some((0.07, 0.28)), (Text, 0.66), &[
        ("tencent-cloud", 58.0), ("siliconflow", 22.0), ("tern", 12.0), ("larkspur", 8.0)]),
    model("tencent/hunyuan-turbo", (-148, None), (1.0, 3.4), (28.1, 640.0), Some((0.11, 0.42)), (Text, 0.58), &[("tencent-cloud", 100.0)]),
    model("tencent/hunyuan-lite:free", (-118, None), (0.8, 2.0), (18.8, 520.0), None, (Text, 0.44), &[("tencent-cloud", 100.0)]),

    model("z-ai/glm-4.6", (-240, None), (1.5, 7.3), (52.3, 730.0), Some((0.40, 1.75)), (Reasons, 0.72), &[
        ("z-ai", 48.0), ("siliconflow", 13.0), ("harbour", 10.0), ("deepinfra", 8.0), ("novita", 7.0), ("fireworks", 6.0), ("larkspur", 5.0), ("wren-cloud", 3.0)]),
    model("z-ai/glm-4.5-air", (-351, None), (1.0, 4.6), (33.7, 610.0), Some((0.13, 0.85)), (Reasons, 0.64), &[
        ("z-ai", 55.0), ("siliconflow", 16.0), ("wren-cloud", 12.0), ("novita", 9.0), ("tern", 8.0)]),
    model("z-ai/glm-4.5", ALWAYS, (2.5, 0.5), (34.2, 700.0), Some((0.35, 1.55)), (Reasons, 0.60), &[("z-ai", 62.0), ("deepinfra", 22.0), ("novita", 16.0)]),
    model("z-ai/glm-4.5-air:free", (-180, None), (0.2, 0.4), (16.2, 540.0), None, (Text, 0.40), &[("z-ai", 100.0)]),

    model("xiaomi/mimo-v2-flash", (-122, None), (1.0, 5.6), (61.0, 680.0), Some((0.10, 0.30)), (Text, 0.70), &[
        ("xiaomi", 64.0), ("siliconflow", 18.0), ("larkspur", 10.0), ("harbour", 8.0)]),
    model("xiaomi/mimo-v2-flash:free", (-121, Some(-25)), (1.6, 0.6), (38.0, 610.0), None, (Text, 0.60), &[("xiaomi", 100.0)]),

    model("google/gemini-2.5-flash", ALWAYS, (9.0, 2.4), (12.6, 470.0), Some((0.30, 2.50)), (Sees, 0.42), VERTEX),
    model("google/gemini-2.5-pro", ALWAYS, (6.0, 1.35), (19.6, 1120.0), Some((1.25, 10.0)), (Reasons, 0.46), VERTEX),
    model("google/gemini-2.5-flash-lite", (-345, None), (1.0, 0.7), (5.9, 330.0), Some((0.10, 0.40)), (Sees, 0.30), VERTEX),
    model("google/gemini-2.0-flash", (-500, Some(-110)), (4.0, 0.5), (8.7, 350.0), Some((0.10, 0.40)), (Sees, 0.25), VERTEX),
    model("google/gemma-3-27b-it", ALWAYS, (0.8, 0.45), (5.2, 360.0), Some((0.08, 0.16)), (Sees, 0.20), &[
        ("deepinfra", 40.0), ("harbour", 26.0), ("novita", 14.0), ("wren-cloud", 22.0)]),

    model("anthropic/claude-sonnet-4.5", (-268, None), (1.0, 2.0), (44.6, 790.0), Some((3.00, 15.0)), (Sees, 0.78), ANTHROPIC),
    model("anthropic/claude-haiku-4.5", (-239, None), (0.4, 1.1), (27.9, 560.0), Some((1.00, 5.00)), (Sees, 0.70), ANTHROPIC),
    model("anthropic/claude-opus-4.1", (-309, None), (0.5, 0.65), (39.1, 900.0), Some((15.0, 75.0)), (Sees, 0.74), ANTHROPIC),
    model("anthropic/claude-sonnet-4", (-500, Some(-95)), (9.0, 0.7), (42.0, 740.0), Some((3.00, 15.0)), (Sees, 0.75), ANTHROPIC),
    model("anthropic/claude-3.7-sonnet", (-500, Some(-210)), (3.0, 0.4), (30.5, 690.0), Some((3.00, 15.0)), (Sees, 0.66), &[("anthropic", 70.0), ("amazon-bedrock", 30.0)]),

    model("nvidia/nemotron-nano-9b-v2:free", (-205, None), (0.5, 2.7), (14.9, 480.0), None, (Text, 0.30), &[("deepinfra", 70.0), ("tern", 30.0)]),
    model("nvidia/llama-3.3-nemotron-super-49b-v1.5", ALWAYS, (0.6, 1.0), (12.3, 520.0), Some((0.10, 0.40)), (Reasons, 0.32), &[
        ("deepinfra", 52.0), ("larkspur", 28.0), ("together", 20.0)]),

    model("meta-llama/llama-4-maverick", (-341, None), (0.8, 1.0), (10.2, 380.0), Some((0.15, 0.60)), (Sees, 0.28), &[
        ("together", 26.0), ("deepinfra", 22.0), ("groq", 16.0), ("wren-cloud", 14.0), ("larkspur", 12.0), ("fireworks", 10.0)]),
    model("meta-llama/llama-3.3-70b-instruct", ALWAYS, (3.0, 0.6), (6.1, 320.0), Some((0.10, 0.32)), (Text, 0.22), &[
        ("groq", 24.0), ("larkspur", 20.0), ("deepinfra", 19.0), ("together", 14.0), ("harbour", 13.0), ("amazon-bedrock", 10.0)]),
    model("meta-llama/llama-4-scout", (-341, None), (0.3, 0.3), (8.4, 340.0), Some((0.08, 0.30)), (Sees, 0.24), &[("groq", 55.0), ("tern", 25.0), ("deepinfra", 20.0)]),
    model("meta-llama/llama-3.1-8b-instruct", (-500, None), (1.0, 0.12), (3.3, 180.0), Some((0.02, 0.05)), (Text, 0.15), &[("groq", 45.0), ("novita", 30.0), ("wren-cloud", 25.0)]),

    model("x-ai/grok-code-fast-1", ALWAYS, (21.0, 0.45), (70.7, 700.0), Some((0.20, 1.50)), (Text, 0.84), &[("xai", 100.0)]),
    model("x-ai/grok-4-fast", (-356, None), (6.0, 0.75), (36.6, 620.0), Some((0.20, 0.50)), (Sees, 0.68), &[("xai", 100.0)]),
    model("x-ai/grok-4", ALWAYS, (2.0, 0.2), (24.0, 1050.0), Some((3.00, 15.0)), (Reasons, 0.60), &[("xai", 100.0)]),

    model("qwen/qwen3-coder", ALWAYS, (2.0, 1.2), (58.3, 690.0), Some((0.22, 0.95)), (Text, 0.66), &[
        ("deepinfra", 34.0), ("harbour", 24.0), ("together", 18.0), ("siliconflow", 14.0), ("fireworks", 10.0)]),
    model("qwen/qwen3-235b-a22b", ALWAYS, (1.2, 0.9), (13.0, 640.0), Some((0.13, 0.60)), (Reasons, 0.34), &[
        ("siliconflow", 38.0), ("wren-cloud", 20.0), ("deepinfra", 18.0), ("novita", 14.0), ("together", 10.0)]),
    model("qwen/qwen3-30b-a3b", (-330, None), (0.4, 0.6), (8.8, 540.0), Some((0.06, 0.22)), (Reasons, 0.26), &[("siliconflow", 46.0), ("larkspur", 30.0), ("novita", 24.0)]),
    model("qwen/qwen3-vl-235b-a22b-instruct", (-177, None), (0.2, 0.45), (9.2, 410.0), Some((0.30, 1.20)), (Sees, 0.28), &[("siliconflow", 58.0), ("harbour", 42.0)]),
    model("qwen/qwen3-coder:free", (-300, None), (0.3, 0.3), (24.0, 560.0), None, (Text, 0.45), &[("tern", 100.0)]),
    model("qwen/qwen3-embedding-8b", (-270, None), (0.01, 0.015), (0.48, 0.0), Some((0.01, 0.0)), (Embeds, 0.0), &[("deepinfra", 66.0), ("siliconflow", 34.0)]),

    model("mistralai/mistral-small-3.2-24b-instruct", ALWAYS, (1.4, 0.8), (7.4, 330.0), Some((0.06, 0.18)), (Sees, 0.25), &[("mistral", 58.0), ("harbour", 27.0), ("deepinfra", 15.0)]),
    model("mistralai/devstral-medium", (-238, None), (0.5, 0.6), (54.6, 620.0), Some((0.40, 2.00)), (Text, 0.66), &[("mistral", 100.0)]),
    model("mistralai/mistral-nemo", (-500, Some(-45)), (1.2, 0.2), (3.6, 230.0), Some((0.02, 0.04)), (Text, 0.15), &[("deepinfra", 60.0), ("tern", 40.0)]),

    model("moonshotai/kimi-k2", ALWAYS, (0.6, 1.1), (31.7, 560.0), Some((0.39, 1.90)), (Text, 0.60), &[
        ("groq", 30.0), ("larkspur", 22.0), ("together", 20.0), ("novita", 16.0), ("fireworks", 12.0)]),
    model("moonshotai/kimi-k2-thinking", (-123, None), (0.2, 0.4), (28.4, 1160.0), Some((0.45, 2.35)), (Reasons, 0.58), &[("fireworks", 55.0), ("wren-cloud", 45.0)]),

    model("minimax/minimax-m2", (-329, None), (0.5, 1.2), (49.7, 660.0), Some((0.24, 0.96)), (Reasons, 0.68), &[
        ("siliconflow", 44.0), ("tern", 22.0), ("novita", 20.0), ("fireworks", 14.0)]),

    model("microsoft/phi-4", ALWAYS, (0.6, 0.5), (4.9, 260.0), Some((0.06, 0.14)), (Text, 0.18), &[("azure", 56.0), ("deepinfra", 28.0), ("wren-cloud", 16.0)]),
    model("cohere/command-a", ALWAYS, (0.6, 0.5), (7.7, 310.0), Some((2.50, 10.0)), (Text, 0.22), &[("azure", 58.0), ("amazon-bedrock", 42.0)]),
    model("nousresearch/hermes-4-405b", (-320, None), (0.4, 0.5), (6.5, 420.0), Some((0.30, 1.20)), (Text, 0.20), &[("novita", 52.0), ("tern", 48.0)]),
    model("nousresearch/hermes-3-70b", (-500, Some(-160)), (0.9, 0.2), (5.4, 360.0), Some((0.12, 0.30)), (Text, 0.18), &[("deepinfra", 100.0)]),
    model("arcee-ai/trinity-mini", (-62, None), (0.2, 0.3), (6.8, 350.0), Some((0.05, 0.15)), (Text, 0.20), &[("together", 60.0), ("harbour", 40.0)]),
];
