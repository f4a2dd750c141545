#!/usr/bin/env python3
"""Builds `models.csv`, `prices.csv` and `tiers.csv` beside this folder from the packages that `sources.toml` lists.

    python3 build.py FOLDER-OF-PACKAGES

Ids come first from `curated.toml`, then from OpenRouter's list, then from whoever makes or serves a model; what is known
of a model is said once, by the most trusted source that says it. The same packages give the same bytes.
"""

import sys
import tomllib
from pathlib import Path

import sources
from merge import Models
from names import Names
from write import write

HERE = Path(__file__).resolve().parent


def main(folder):
    starter = tomllib.loads((HERE.parent / "starter.toml").read_text())
    curated = tomllib.loads((HERE.parent / "curated.toml").read_text())
    listed = tomllib.loads((HERE / "sources.toml").read_text())["sources"]
    readers = {
        "openrouter": sources.openrouter,
        "models.dev": sources.models_dev,
        "models.dev dates": sources.models_dev_dates,
        "litellm": sources.litellm,
    }
    raws = {source["name"]: list(readers[source["name"]](Path(folder) / source["file"])) for source in listed}
    models = Models(Names(starter), curated, starter["authors"])
    models.list_all(raws)
    models.learn(raws)
    write(HERE.parent, models, listed)
    authors = {model_id.split("/")[0] for model_id in models.models}
    refused = len(models.refused)
    print(f"{len(models.models)} models of {len(authors)} authors, {len(models.prices)} prices; {refused} names are nobody's")
    return models


if __name__ == "__main__":
    main(sys.argv[1])
