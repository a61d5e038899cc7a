"""Reading pages of metrics back, with the parser of Prometheus' own client."""

from collections import Counter

from prometheus_client.parser import text_string_to_metric_families


def page_numbers(text: str) -> Counter[str]:
    """The number of each series on a page: `bioner_rejects_total{no_text}` where it has a label."""
    numbers: Counter[str] = Counter()
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = ",".join(sample.labels.values())
            numbers[f"{sample.name}{{{labels}}}" if labels else sample.name] += sample.value
    return numbers
