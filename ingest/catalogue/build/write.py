"""Writes the lists: a line for each model, price and tier of a price, with cells that hold neither a comma nor a quote."""

from decimal import Decimal

FACTS = (
    "released_on", "context_tokens", "max_output_tokens", "license", "has_open_weights", "accepts_images", "accepts_audio",
    "accepts_video", "makes_images", "calls_tools", "structures_output", "reasons",
)
METERS = ("input", "cached_input", "cache_write", "output")


def write(folder, models, listed):
    dates = {source["name"]: source["date"] for source in listed}
    head = ["# Built by build/build.py; edit curated.toml and build again. Sources:"]
    head += [f"# {s['what']}, in {s['package']} {s['version']} of {s['date']}." for s in listed]
    rows = [",".join(("id", "name", "names", *FACTS))]
    for model_id, model in sorted(models.models.items()):
        facts = [cell(model["facts"].get(fact)) for fact in FACTS]
        rows.append(",".join((model_id, model["name"], " ".join(sorted(set(model["names"]))), *facts)))
    (folder / "models.csv").write_text("\n".join([*head, *rows, ""]))
    rows = [",".join(("model", "variant", "provider", "valid_from", *METERS))]
    for (model_id, variant, provider), (_, source, amounts, _) in sorted(models.prices.items()):
        cells = [amount(amounts.get(meter)) for meter in METERS]
        rows.append(",".join((model_id, variant, provider, dates[source], *cells)))
    (folder / "prices.csv").write_text("\n".join([*head, *rows, ""]))
    rows = [",".join(("model", "variant", "provider", "service_tier", "above_input_tokens", *METERS))]
    for (model_id, variant, provider), (_, _, amounts, tiers) in sorted(models.prices.items()):
        for (service, above), of_tier in sorted(tiers.items()):
            # What is left out is the price's own.
            cells = [amount(None if of_tier[m] == amounts.get(m) else of_tier[m]) for m in METERS]
            if service or any(cells):
                rows.append(",".join((model_id, variant, provider, service, cell(above or None), *cells)))
    (folder / "tiers.csv").write_text("\n".join([*head, *rows, ""]))


def cell(value):
    if value is None:
        return ""
    return str(int(value)) if isinstance(value, bool) else str(value)


def amount(value):
    """Nine digits behind the point are what a price is kept to."""
    if value is None:
        return ""
    text = format(value.quantize(Decimal("1e-9")), "f").rstrip("0").rstrip(".")
    return text or "0"
