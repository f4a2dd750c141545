"""Spellings of hosts that the fold does not know. What one leads to is written down as a name of that model."""

import re

REWRITES = [
    (re.compile(pattern), text)
    for pattern, text in (
        # Fireworks.
        (r"^llama-v(\d)", r"llama-\1"),
        (r"^qwen-v(\d)", r"qwen\1"),
        # Azure.
        (r"^gpt-35-", "gpt-3.5-"),
        # Weights as the hub names them, and what hosts add for how they serve them.
        (r"-(tput|sambanova|cs|el|fw|n|disc)$", ""),
        (r"-(us|spot|flex|ultrafast|basic|original|cloud|lora|free|nitro|cheaper)$", ""),
        (r"^((?:gpt-oss|gemma).*)-ultra$", r"\1"),
        (r"^((?:deepseek|gpt-oss|gemma|minimax|l3).*)-turbo$", r"\1"),
        # Resellers' own marks in front.
        (r"^(duo-chat|umans|coding|cc|alicloud|deep|coding-xiaomi|xiaomi)-", ""),
        (r"^duo-chat-(?=opus|sonnet|haiku|fable)", "claude-"),
        # Two digits of a version without what stands between them.
        (r"^(openai-)?gpt-([345])(\d)(?=-|$)", r"gpt-\2.\3"),
        # Volcano Engine's marks and days.
        (r"^(?:dola-|doubao-)?seed-(.*?)(?:-2[4-6](?:0[1-9]|1[0-2])[0-3]\d)?$", r"seed-\1"),
        (r"-2[4-6](?:0[1-9]|1[0-2])[0-3]\d$", ""),
        # Together and DeepInfra call what they quantise so.
        (r"-instruct-(turbo|lite)$", "-instruct"),
        (r"-vision-instruct-turbo$", "-vision-instruct"),
        # Google's numbers of a stable version.
        (r"^(gemini-.*)-00\d$", r"\1"),
        (r"^anthropic--", ""),
        # The order of words in Anthropic's names turned with generation 4.
        (r"^claude-([4-9](?:[.-]\d)?)-(opus|sonnet|haiku)", r"claude-\2-\1"),
        (r"^claude-(opus|sonnet|haiku)-(3(?:[.-]\d)?)$", r"claude-\2-\1"),
        (r"^meta-(?=llama)", ""),
        (r"^(llama-3[.-]\d-\d+b)-(vision)$", r"\1-\2-instruct"),
        (r"^deepseek-chat-v", "deepseek-v"),
        # A moving pointer whose name says which generation it points to.
        (r"^(?=(?:.*-)?(?!\d+(?:\.\d+)?[bm]-)[^-]*\d[^-]*-)(.*)-latest$", r"\1"),
        (r"^(.*)-instruct-v1$", r"\1-instruct"),
        (r"^nvidia-(?=nemotron|llama)", ""),
        (r"^(.*)-instruct-(\d{4})$", r"\1-\2"),
        (r"^(ministral|mistral-small|magistral-small|devstral-small|voxtral-small)-(?:\d\.?\d?-)?(\d+b)-instruct-(\d{4})$", r"\1-\2-\3"),
        (r"^(magistral|devstral|mistral|codestral)-(small|medium|large)-(\d{4})-?(?:\d+)?$", r"\1-\2-\3"),
    )
]


def rewritten(slug):
    """Every spelling that one or two rewrites lead to, nearest first."""
    found = [slug]
    for _ in range(2):
        for text in list(found):
            for pattern, to in REWRITES:
                changed = pattern.sub(to, text)
                if changed != text and changed not in found:
                    found.append(changed)
    return found[1:]


# Two numbers of a version, as OpenRouter's list writes them.
DOTTED = re.compile(r"^((?:claude|gpt|glm|kimi|minimax|qwen|grok|gemini|deepseek|mimo|llama|muse|step|hy|ernie|nova|seed|palmyra|solar)[a-z-]*-?[a-z]*\d)-(\d)(?=-|$)")


def house_style(slug, author):
    """How an id is spelled that no list with a style of its own names."""
    slug = re.sub(r"(?<=\d)p(?=\d)", ".", slug.lower()).replace("_", "-").replace(" ", "-")
    if author == "meta-llama":
        slug = slug.removeprefix("meta-")
        slug = re.sub(r"^llama(?=\d)", "llama-", slug)
    slug = re.sub(r"^qwen-v(?=\d)", "qwen", slug)
    if author == "anthropic":
        slug = re.sub(r"^(claude-[a-z]+-\d)-(\d)(?=-|$)", r"\1.\2", slug)
    return DOTTED.sub(r"\1.\2", slug)
