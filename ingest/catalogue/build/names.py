"""What a raw name is, by the lists: the same steps as `ingest/src/catalogue/{parse,index}.rs`, without variants and aliases."""

from fold import REGION_DOT, REGION_SEGMENT, Fold, candidates

# Hosts' own marks in front of a slug, behind which a model of any author may stand.
HOST_MARKS = ("databricks-", "fw-", "zai-", "system.ai.", "cerebras-", "groq-", "alibaba-", "azure-")


class Names:
    def __init__(self, starter):
        self.families = starter["families"]
        self.fold = Fold([f["prefix"].rstrip("-") for f in self.families if f.get("splits")])
        self.authors = {}
        for author in starter["authors"]:
            for name in [*author.get("names", []), author["slug"]]:
                self.authors[self.plain(name)] = author["slug"]
        self.providers = {}
        for provider in starter["providers"]:
            for name in [*provider.get("names", []), provider["id"], provider["name"]]:
                self.providers[self.plain(name)] = provider["id"]
        # (author, key) → id, and key → ids of every author.
        self.listed, self.bare = {}, {}
        self.spellings = {
            author["slug"]: [self.fold.key(name) for name in [author["slug"], *author.get("names", [])]]
            for author in starter["authors"]
        }

    @staticmethod
    def plain(name):
        return "".join(c for c in name.lower() if c not in ".-_ ")

    def add(self, model_id, slug):
        author = model_id.split("/", 1)[0]
        key = self.fold.key(slug)
        known = self.listed.setdefault((author, key), model_id)
        self.bare.setdefault(key, {})[model_id] = None
        return known

    def parse(self, raw):
        """(author or None, whether it may be a mere host, slugs to try) or None for somebody's own name."""
        text = raw.strip().lower()
        if text.startswith("ft:"):
            return None
        *front, slug = [part for part in text.split("/") if part]
        if len(front) >= 3 and front[-1] in ("models", "routers") and front[-3] == "accounts":
            front = front[:-3]
        author, is_host = None, False
        if len(front) >= 3 and front[-1] == "models" and front[-3] == "publishers":
            author, front = self.authors.get(self.plain(front[-2])), front[:-3]
        elif len(front) >= 3 and front[-1] == "models" and self.plain(front[-3]) in self.authors:
            author, front = self.authors[self.plain(front[-3])], front[:-3]
        for at, part in enumerate(front):
            plain = self.plain(part.removeprefix("hf:").removeprefix("~"))
            is_provider = plain in self.providers or REGION_SEGMENT.match(part) or part.startswith("arn:")
            if at == len(front) - 1 and plain in self.authors:
                author, is_host = self.authors[plain], bool(is_provider)
            elif not is_provider:
                return None
        slugs = []
        slug = REGION_DOT.sub("", slug)
        for text in candidates(slug):
            slugs.append(text)
            for mark in HOST_MARKS:
                if text.startswith(mark):
                    slugs.append(text.removeprefix(mark))
        return author, is_host, slugs

    def of_author(self, author, slug):
        """By its key, by its key without the author's name in front, by its key with that name."""
        key = self.fold.key(slug)
        if found := self.listed.get((author, key)):
            return found
        return self.doubled(author, key)

    def doubled(self, author, key):
        for spelling in self.spellings.get(author, ()):
            if key.startswith(spelling + "-") and (found := self.listed.get((author, key[len(spelling) + 1 :]))):
                return found
            if found := self.listed.get((author, f"{spelling}-{key}")):
                return found
        return None

    def bare_lookup(self, slug):
        key = self.fold.key(slug)
        found = list(self.bare.get(key, ()))
        if not any(c.isdigit() or c == "-" for c in key):
            # One word may be anything, unless its family says whose it is.
            found = [one for one in found if one.split("/", 1)[0] == self.family(slug)]
        if len(found) == 1:
            return found[0]
        if found:
            author = self.family(slug)
            mine = [i for i in found if i.split("/", 1)[0] == author]
            return mine[0] if len(mine) == 1 else None
        # `meta-llama-3.1-8b-instruct`, `anthropic--claude-4-sonnet`, `zai.glm-4.6`: an author's name in front.
        hits = set()
        for author, spellings in self.spellings.items():
            for spelling in spellings:
                if key.startswith(spelling + "-"):
                    rest = key[len(spelling) + 1 :]
                    for cut in (rest, f"{spelling}-{rest}"):
                        if hit := self.listed.get((author, cut)):
                            hits.add(hit)
        return hits.pop() if len(hits) == 1 else None

    def family(self, slug):
        slug = slug.lower()
        return next((f["author"] for f in self.families if slug.startswith(f["prefix"])), None)

    def resolve(self, raw):
        parsed = self.parse(raw)
        if not parsed:
            return None
        author, is_host, slugs = parsed
        for slug in slugs:
            if author and (found := self.of_author(author, slug)):
                return found
            if (not author or is_host) and (found := self.bare_lookup(slug)):
                return found
        return None
