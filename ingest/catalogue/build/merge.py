"""Brings the names of all sources together: one model, one id."""

import re
from collections import Counter

from rewrites import house_style, rewritten

# Their bare names are a word for a model; those of others only lead to one that is listed.
SERVERS = set(
    "openai azure anthropic google-vertex google-ai-studio amazon-bedrock deepseek tencent-cloud z-ai xiaomi fireworks together groq "
    "cerebras mistral xai moonshotai minimax alibaba cohere nvidia perplexity sambanova lambda databricks snowflake watsonx ai21 "
    "baidu volcengine stepfun inception liquid arcee-ai github-models ovhcloud scaleway voyage jina ollama meta upstage morph "
    "sarvam cloudflare gigachat amazon-nova aleph-alpha nlp-cloud vercel oci hyperbolic digitalocean longcat bailing poolside "
    "thinkingmachines sakana deepinfra novita nebius siliconflow baseten wandb huggingface replicate gmicloud friendli "
    "openrouter kilo chutes cognition v0 io-net nscale sagemaker".split()
)
# They call what others make by names of their own, behind the maker's.
RENAMERS = set("nano-gpt poe crof greenpt 302ai neuralwatt edenai aihubmix empiriolabs abacus refuseless clarifai".split())
# Where they stand in front of a slug they may only serve it, which its family tells.
HOSTS = {
    "alibaba", "databricks", "snowflake", "perplexity", "togethercomputer", "featherless", "abacusai", "tencent", "mistralai",
    "groq", "z-ai", "baidu", "bytedance", "stepfun-ai", "moonshotai", "deepseek",
}
# They serve what others make under their own name in front; what they make themselves is in `curated.toml` alone.
SHOPS = {
    "empiriolabs", "fireworks", "venice", "opencode", "abliteration", "refuseless", "clarifai", "evroc",
}
# Whose word about a model comes first.
MAKERS = {
    "openai": "openai", "anthropic": "anthropic", "google": "google-ai-studio google-vertex", "deepseek": "deepseek",
    "x-ai": "xai", "qwen": "alibaba", "moonshotai": "moonshotai", "minimax": "minimax", "mistralai": "mistral",
    "cohere": "cohere", "amazon": "amazon-bedrock", "z-ai": "z-ai", "xiaomi": "xiaomi", "stepfun-ai": "stepfun",
    "nvidia": "nvidia", "upstage": "upstage", "ai21": "ai21", "meta-llama": "meta", "perplexity": "perplexity",
    "voyage": "voyage", "jina": "jina", "inception": "inception", "ibm-granite": "watsonx", "tencent": "tencent-cloud",
}
SLUG = re.compile(r"[a-z0-9][a-z0-9.+-]{1,70}")
# Names that are no word for a model of their own: sizes of pictures, budgets, and work that hosts do on others' models.
SPOILT = re.compile(
    r"(\d{3,}-?x-?\d{3,}.*|-thinking-\d{3,}|-(crof|raw|gv2|long|fp8-draft.*|instruct-lite|rope|abliterated|instruct-1b|variant\d)|"
    r"-(caveman|honey|ponytail|short)(-.*)?)$"
)


class Models:
    def __init__(self, names, curated, authors):
        self.authors = {author["slug"]: author["name"] for author in authors}
        self.names, self.models, self.prices, self.refused = names, {}, {}, Counter()
        for model in curated["models"]:
            self.new(model["id"], model["name"])
            for name in model.get("names", []):
                self.name(model["id"], name)

    def new(self, model_id, display):
        slug = model_id.split("/", 1)[1]
        known = self.names.add(model_id, slug)
        if known != model_id:
            raise SystemExit(f"`{known}` and `{model_id}` have one fold key")
        self.models[model_id] = {"name": display, "names": [], "facts": {}}

    def name(self, model_id, name):
        if self.names.resolve(f"{model_id.split('/')[0]}/{name}") == model_id and self.names.resolve(name) == model_id:
            return
        known = self.names.add(model_id, name)
        if known != model_id:
            raise SystemExit(f"the name `{name}` of `{model_id}` is one of `{known}`")
        self.models[model_id]["names"].append(name)

    def provider(self, raw):
        return self.names.providers.get(self.names.plain(raw.provider))

    def list_all(self, raws):
        own = [raw for of in raws.values() for raw in of]
        openrouter = [raw for raw in own if self.provider(raw) == "openrouter"]
        gateways = [raw for raw in own if self.provider(raw) == "vercel"]
        makers = [raw for raw in own if self.is_maker(raw)]
        for raw in [*openrouter, *gateways, *makers, *own]:
            self.list(raw)

    def is_maker(self, raw):
        parsed = self.names.parse(plain_name(raw))
        author = parsed and (parsed[0] or self.names.family(parsed[2][-1]))
        return self.provider(raw) in MAKERS.get(author, "").split()

    def list(self, raw):
        """Adds the model that a name names, unless it is there; its spelling, unless the rules lead to it."""
        name, provider = plain_name(raw), self.provider(raw)
        if not provider or self.names.resolve(name):
            return
        parsed = self.names.parse(name)
        if not parsed:
            return
        author, is_host, slugs = parsed
        dotted = re.match(r"^([a-z0-9]+)\.(.+)$", slugs[-1])
        if not author and dotted and (spelled := self.names.authors.get(dotted[1])):
            author, slugs = spelled, [slug.removeprefix(dotted[1] + ".") for slug in slugs]
        for slug in slugs:
            for other in rewritten(slug):
                if found := self.names.resolve(f"{author}/{other}" if author else other):
                    self.name(found, slugs[-1] if slug != slugs[0] else slug)
                    return
        by_family = self.names.family(slugs[-1])
        if author in SHOPS or (author in HOSTS and by_family):
            author = by_family
        elif not author and provider in SERVERS:
            author = by_family
        elif author in MAKERS and provider in RENAMERS:
            author = None
        if not author:
            self.refused[raw.name, provider] += 1
            return
        slug = house_style(self.stem(slugs, author), author)
        model_id = f"{author}/{slug}"
        if not SLUG.fullmatch(slug) or SPOILT.search(slug) or model_id in self.models:
            self.refused[raw.name, provider] += 1
            return
        self.new(model_id, display(raw, slug, self.authors.get(author, author)))
        if self.names.resolve(name) != model_id:
            self.names.add(model_id, slugs[-1])
            self.models[model_id]["names"].append(slugs[-1])

    @staticmethod
    def stem(slugs, author):
        """The barest slug; a version that Amazon and Cohere number is part of the name."""
        if author in ("amazon", "cohere"):
            return next((slug for slug in slugs if ":" not in slug and "@" not in slug), slugs[-1])
        return slugs[-1]

    def learn(self, raws):
        apart = (self.names.resolve(plain_name(raw)) for listed in raws.values() for raw in listed if raw.is_charged_apart)
        self.charged_apart = set(apart)
        for listed in raws.values():
            for raw in listed:
                name = plain_name(raw)
                if found := self.names.resolve(name):
                    self.note(found, raw)
        for model_id, model in self.models.items():
            model["facts"] = {fact: best(said) for fact, said in sorted(model["facts"].items())}

    def note(self, model_id, raw):
        provider = self.provider(raw)
        own = provider in MAKERS.get(model_id.split("/")[0], "").split()
        rank = 0 if own else 1 if provider == "openrouter" else 2
        for fact, value in raw.facts.items():
            # That it thinks when asked to is no word about the model.
            if value is not None and variant_of(raw) != "thinking":
                self.models[model_id]["facts"].setdefault(fact, []).append((rank, value))
        variant = variant_of(raw)
        # Below nothing: it varies, as a router's does. And what is sold off says nothing of the price by the list.
        amounts = {meter: amount for meter, amount in raw.price.items() if amount is not None and amount >= 0}
        if raw.name.startswith("stealth/"):
            return
        # Tokens are not all that is paid for, wherever it is served.
        if model_id.removesuffix("-search") in self.charged_apart:
            return
        is_free = variant == "free"
        if not provider or not amounts or (not any(amounts.values()) and not is_free):
            return
        order = ({"openrouter": 0, "litellm": 1}.get(raw.source, 2), len(raw.name), raw.name)
        place = (model_id, variant, provider)
        if place not in self.prices or order < self.prices[place][0]:
            self.prices[place] = (order, raw.source, amounts, raw.tiers)


def best(said):
    """What the nearest to the maker say, of them the most, of those the largest."""
    nearest = min(rank for rank, _ in said)
    counted = Counter(value for rank, value in said if rank == nearest)
    return max(counted.items(), key=lambda pair: (pair[1], pair[0]))[0]


VARIANT = re.compile(r"^(.+/.+):([a-z-]{1,24})()$")
# Of gateways whose names have no author in front, too; and a budget of tokens for thinking.
KNOWN_VARIANT = re.compile(r"^([^:]+)(?::(free|thinking|web|discounted)(?::(?:low|medium|high|max))*|-(thinking):\d+)$")


def split(raw):
    if raw.provider == "openrouter":
        return VARIANT.match(raw.name)
    return KNOWN_VARIANT.match(raw.name) if raw.provider in ("kilo", "nano-gpt", "unorouter", "kenari") else None


def plain_name(raw):
    """Without the variant, which only the slugs of some gateways have."""
    found = split(raw)
    return found[1] if found else raw.name


def variant_of(raw):
    found = split(raw)
    return found[2] or found[3] if found else "standard"


# Words that are not spelled with one capital in front.
WORDS = {
    word.lower(): word
    for word in (
        "DeepSeek MiniMax MiMo MiniCPM ERNIE EXAONE xLAM GLM GPT OCR TTS ASR VL MT AI API OSS ER BGE UAE GTE SWE NV HD IT PT MAI KAT "
        "CLI FIM QwQ QVQ OLMo LFM RP SDXL XL CoBuddy GigaChat SmolLM3 FLUX TNG R1T2 EuroLLM CodeLlama StarCoder NeMo"
    ).split()
}


def display(raw, slug, author):
    """As the source shows it, where that says no more than the slug does; else the slug's words."""
    text = re.sub(r"\s*\((free|latest|preview|batch)\)", "", raw.display.split(": ", 1)[-1], flags=re.I)
    text = re.sub(r'[,"]', " ", text).strip()
    # `OpenAI GPT Latest`, but `DeepSeek V4` where the slug begins so, too.
    if not slug.startswith(author.lower()):
        text = text.removeprefix(f"{author} ")
    words = ("instruct", "preview", "thinking", "reason", "tools", "latest", "vision", "fast", "beta")
    says_other = any((word in text.lower()) != (word in slug) for word in words)
    says_other |= bool(re.search(r"\bit\b", text, re.I)) != slug.endswith("-it")
    has_other_numbers = set(re.findall(r"\d+", text)) != set(re.findall(r"\d+", slug))
    if text and not says_other and not has_other_numbers and "/" not in text and text != text.lower() and len(text) <= 48:
        return text
    return " ".join(spelled(word) for word in slug.split("-"))


def spelled(word):
    if re.fullmatch(r"[ea]?\d+(\.\d+)?[bkmt]", word):
        return word.upper()
    if re.fullmatch(r"v?\d[\w.]*", word):
        return word
    return WORDS.get(word) or word[:1].upper() + word[1:]
