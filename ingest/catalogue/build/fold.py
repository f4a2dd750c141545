"""The fold key and the steps that lead a raw name to slugs: the same rules as `ingest/src/catalogue/fold.rs`.

The builder needs them to bring names of its sources together. Whoever changes one changes the other and builds again.
"""

import re

REGION_SEGMENT = re.compile(
    r"^(us|us-gov|eu|apac|ap|global|jp|au|ca|uk|global-standard|data-?zone|[a-z]{2}(-gov)?-[a-z]+-\d|\*|"
    r"\d+-month-commitment|responses|chat|converse|converse_like|invoke|models|@cf|@hf|@oi|pro|ps|tee|claude_platform|ranking|"
    r"stealth|public|unsloth|thebloke|bartowski|lmstudio-community|mlx-community|"
    r"hd|standard|low|medium|high|(\d+|max)-x-(\d+|max)|(\d+|max)-steps)$"
)
REGION_DOT = re.compile(r"^(us|us-gov|eu|apac|ap|global|jp|au|ca|uk|in|sa|me)\.(?=.*\.)")
VERSION = re.compile(r"^(.+):(\d+)$")
VERSION_NAME = re.compile(r"^(.+)-v\d+$")
AT_DATE = re.compile(r"^(.+)@(20(?:2[2-9]|3[0-5])-?(?:0[1-9]|1[0-2])-?(?:0[1-9]|[12]\d|3[01])|default|latest|00\d|eu|us|global|apac)$")
DATE = re.compile(r"^(.+)-(20(2[2-9]|3[0-5]))-?(0[1-9]|1[0-2])-?(0[1-9]|[12]\d|3[01])$")
# A size is no generation.
LATEST = re.compile(r"^(?=(?:.*-)?(?!\d+(?:\.\d+)?[bm]-)[^-]*\d[^-]*-)(.*)-latest$")
DATE_FORM = re.compile(r"-(\d{8}|\d{4}-\d{2}-\d{2})$")
OFFER = re.compile(
    r"^(.+)[-_:.](fp4|fp8|fp16|bf16|awq|gguf|gptq|int4|int8|nf4|nvfp4|mxfp4|mxfp|4bit|8bit|"
    r"i?q[2-8]([-_][01k])?([-_](xxs|xs|s|m|l|xl|nl))?|fp8[-_](dynamic|fast|block)|int4-(mixed-ar|autoround)|mlx|hf|tee|priority|"
    r"high-throughput|variant\d|maas)$"
)


class Fold:
    def __init__(self, stems):
        self.stems = sorted(stems, key=len, reverse=True)

    def key(self, text):
        text = text.lower()
        text = re.sub(r"(?<=\d)p(?=\d)", "-", text)
        text = re.sub(r"[-_. :@]+", "-", text).strip("-")
        return "-".join(self.split(token) for token in text.split("-"))

    def split(self, token):
        """`llama3` → `llama-3`, for stems of the list only."""
        for stem in self.stems:
            if token.startswith(stem) and token[len(stem) : len(stem) + 1].isdigit():
                return stem + "-" + token[len(stem) :]
        return token


def undated(slug):
    if found := AT_DATE.match(slug):
        return found[1]
    if DATE_FORM.search(slug) and (found := DATE.match(slug)):
        return found[1]
    if found := LATEST.match(slug):
        return found[1]
    return None


def candidates(slug):
    """The slug itself, then without date, version and offer, as far as it has them."""
    found = [slug]
    had_version = False
    while True:
        slug = found[-1]
        if shorter := undated(slug):
            found.append(shorter)
        elif had_version and (match := VERSION_NAME.match(slug)):
            had_version = False
            found.append(match[1])
        elif match := VERSION.match(slug):
            had_version = True
            found.append(match[1])
        elif match := OFFER.match(slug):
            found.append(match[1])
        else:
            return found
