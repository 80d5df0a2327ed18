"""A notebook that forgets with its test."""


class Memory:
    """Keeps facts in `facts`."""

    def __init__(self) -> None:
        self.facts: dict[str, str] = {}

    def recall(self, fact: str) -> str | None:
        return self.facts.get(fact)

    def note(self, fact: str, value: str) -> None:
        self.facts[fact] = value
