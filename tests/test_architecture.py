"""The rules of the code: who may import what, how long code may be, and what may not occur at all."""

import ast
import functools
import graphlib
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bioner_core.store.layout import Store
from jobs.main import COMMANDS, module_of

REPOSITORY = Path(__file__).resolve().parent.parent
PACKAGES = ("bioner", "bioner_core", "pipelines", "jobs", "devtools")
MAX_FUNCTION_LINES = 80
MAX_FILE_LINES = 500
LEAST_MEDIAN_LINES = 100
FOREIGN_TO_THE_CORE = {"bioner", "apache_beam", "ray", "typer", "rich", "click", "pipelines", "jobs", "devtools"}
MOST_POSITIONAL = 2
POSITIONAL_ELSEWHERE = {
    "bioner_core/decoding/cache.py: update": "transformers calls it",
    "bioner_core/training/packing.py: update": "transformers calls it",
    "bioner_core/models/attention.py: grouped_attention": "transformers calls it",
    "bioner_core/models/attention.py: sdpa_attention": "transformers calls it",
    "bioner_core/store/objects/object_path.py: mkdir": "as pathlib's",
    "bioner_core/formats/jats_article.py: jats_document": "one of the readers' `make` functions",
    "bioner_core/formats/pubmed_citation.py: citation_document": "one of the readers' `make` functions",
    "bioner_core/device_bench/parts.py: run_parts": "the target of a process",
    "pipelines/metrics/meters.py: add": "reads as a sentence: a metric, an amount, a label's value",
    "pipelines/metrics/meters.py: set": "as `add`",
    "pipelines/metrics/meters.py: observe": "as `add`",
    "bioner_core/selector/samples.py: add": "the columns of one table",
    "bioner_core/selector/samples.py: move_edge": "one of the ways to spoil a span",
    "bioner_core/selector/samples.py: sub_span": "one of the ways to spoil a span",
    "bioner_core/selector/samples.py: super_span": "one of the ways to spoil a span",
    "bioner_core/selector/samples.py: other_type": "one of the ways to spoil a span",
    "bioner_core/selector/samples.py: stray_span": "one of the ways to spoil a span",
}
LAYERS_OF_JOBS = ("terminal", "options", "runs", "commands")
HEAVY = {"torch", "ray", "apache_beam", "transformers"}


def modules(*packages: str) -> list[Path]:
    """The source files of packages."""
    return sorted(path for package in packages for path in (REPOSITORY / package).rglob("*.py"))


def imported_names(tree: ast.AST) -> Iterator[str]:
    """The full name of every import of a module, those inside functions too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute here"
            yield str(node.module)


def part_of(module: str) -> str:
    """The part that a module belongs to: its package, or the module itself where packages stand beside it."""
    folder = REPOSITORY.joinpath(*module.split(".")).parent
    has_packages = any(path.parent.parent == folder for path in folder.glob("*/__init__.py"))
    return module if has_packages else module.rpartition(".")[0]


@functools.cache
def parsed(path: Path) -> ast.Module:
    """The syntax tree of a file; a dozen tests look at each."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


@pytest.mark.parametrize(
    ("package", "foreign"),
    [
        ("bioner_core", FOREIGN_TO_THE_CORE),
        ("bioner", FOREIGN_TO_THE_CORE - {"bioner"}),
        ("pipelines", {"typer", "rich", "click", "jobs", "devtools"}),
        ("jobs", {"devtools"}),
    ],
)
def test_packages_import_nothing_from_the_layers_above(package: str, foreign: set[str]) -> None:
    """Catches science that depends on Beam, Ray or a command line, and pipelines that depend on the command line."""
    found = {
        f"{path.relative_to(REPOSITORY)}: {name}"
        for path in modules(package)
        for name in imported_names(parsed(path))
        if name.partition(".")[0] in foreign
    }
    assert not found


@pytest.mark.parametrize("package", PACKAGES)
def test_parts_of_a_package_do_not_import_each_other_in_a_circle(package: str) -> None:
    """Catches two parts that each need the other: neither can be read, tested or replaced alone."""
    graph: dict[str, set[str]] = {}
    for path in modules(package):
        own = part_of(".".join(path.relative_to(REPOSITORY).with_suffix("").parts))
        imported = {part_of(name) for name in imported_names(parsed(path)) if name.startswith(f"{package}.")}
        graph.setdefault(own, set()).update(imported - {own})
    assert list(graphlib.TopologicalSorter(graph).static_order())


@pytest.mark.parametrize("layer", LAYERS_OF_JOBS)
def test_the_command_line_imports_one_way(layer: str) -> None:
    """Catches a command that imports another, and an option or a run that needs a command: none can be read alone."""
    above = (*LAYERS_OF_JOBS[LAYERS_OF_JOBS.index(layer) + 1 :], "main")
    foreign = {f"jobs.{one}" for one in above} | ({"jobs.commands"} if layer == "commands" else set())
    found = {
        f"{path.relative_to(REPOSITORY)}: {name}"
        for path in modules(f"jobs/{layer}")
        for name in imported_names(parsed(path))
        if any(name == one or name.startswith(f"{one}.") for one in foreign) or name == "jobs"
    }
    assert not found


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_is_imported_without_heavy_libraries(command: str) -> None:
    """Catches a command whose help, and every mistake in its options, waits for torch, Ray or Beam."""
    assert not _loaded_after(module_of(command)) & HEAVY


def test_beam_workers_import_no_torch() -> None:
    """Catches a chain of imports by which each Beam worker would load torch, or a client transformers."""
    loaded = _loaded_after(
        "pipelines.annotate", "pipelines.pool.client", "pipelines.pool.pool", "pipelines.watch.status"
    )
    assert not loaded & {"torch", "transformers", "peft", "accelerate"}
    assert {"apache_beam", "ray"} <= loaded


def test_the_command_line_starts_without_heavy_imports() -> None:
    """Catches an import at the top of a verb's module that every other verb pays for."""
    assert not _loaded_after("jobs.main") & (HEAVY | {"pyarrow", "lxml"})


def test_files_and_functions_are_short() -> None:
    """Catches a module or function that has outgrown one idea."""
    long_files = [path for path in modules(*PACKAGES, "tests") if len(path.read_text().splitlines()) > MAX_FILE_LINES]
    assert not long_files
    long_functions = {
        f"{path.relative_to(REPOSITORY)}: {node.name}"
        for path in modules(*PACKAGES, "tests")
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno >= MAX_FUNCTION_LINES
    }
    assert not long_functions


def test_public_functions_take_at_most_two_arguments_by_place() -> None:
    """Would catch a call such as `placed(document, mentions, found)`, where a reader cannot tell what is what."""
    found = {
        f"{path.relative_to(REPOSITORY).as_posix()}: {one.name}"
        for path in modules(*PACKAGES)
        for one in public_functions(parsed(path))
        if len(arguments_by_place(one)) > MOST_POSITIONAL and not is_command(path, one)
    }
    assert found == set(POSITIONAL_ELSEWHERE)


def public_functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Functions and methods that others may call: no inner ones, and none with an underscore."""
    for parent in (tree, *(one for one in ast.walk(tree) if isinstance(one, ast.ClassDef))):
        for one in parent.body:
            if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef) and not one.name.startswith("_"):
                yield one


def arguments_by_place(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    """The names of arguments that may be given by their place, but for `self` and `cls`."""
    names = [one.arg for one in (*function.args.posonlyargs, *function.args.args)]
    return names[1:] if names[:1] in (["self"], ["cls"]) else names


def is_command(path: Path, function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether typer calls it: its arguments are options of the command line."""
    decorators = "".join(ast.unparse(one) for one in function.decorator_list)
    if ".command" in decorators or "option_groups" in decorators:
        return True
    return path.parent.name == "commands" and function.name in (path.stem, "import_command")


def test_half_of_all_modules_are_no_fragments() -> None:
    """Catches one idea that is scattered over small files: whoever reads a step would have to open five."""
    lengths = [len(path.read_text().splitlines()) for path in modules(*PACKAGES) if path.name != "__init__.py"]
    assert statistics.median(lengths) >= LEAST_MEDIAN_LINES


def test_nothing_loads_code_from_data() -> None:
    """Catches pickles, `torch.load`, eval and remote code of models: models are safetensors only."""
    found: set[str] = set()
    for path in modules(*PACKAGES):
        tree = parsed(path)
        names = {name.partition(".")[0] for name in imported_names(tree)} & {"pickle", "cloudpickle", "dill", "joblib"}
        words = {word for node in ast.walk(tree) for word in _dangerous(node)}
        found |= {f"{path.relative_to(REPOSITORY)}: {one}" for one in names | words}
    assert not found


_LOADERS = {"AutoTokenizer.from_pretrained", "AutoModelForCausalLM.from_pretrained"}


def _dangerous(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.keyword) and node.arg == "trust_remote_code" and ast.unparse(node.value) != "False":
        yield "trust_remote_code"
    if isinstance(node, ast.Call) and ast.unparse(node.func) in _LOADERS:
        # Left out, transformers asks on the terminal. Options that come as a dictionary say it there.
        said = {one.arg for one in node.keywords} & {"trust_remote_code", None}
        yield from ["from_pretrained without trust_remote_code=False"] * (not said)
    if isinstance(node, ast.Call):
        called = ast.unparse(node.func)
        if called in {"torch.load", "eval", "exec", "os.system", "yaml.load"}:
            yield called
    if isinstance(node, ast.keyword) and node.arg == "shell":
        yield "shell"


def test_tests_mirror_the_tree() -> None:
    """Catches a part of the project without a test folder of its own."""
    parts = {path.parent.relative_to(REPOSITORY) for path in modules(*PACKAGES) if path.name != "__init__.py"}
    tested = {path.parent.relative_to(REPOSITORY / "tests") for path in (REPOSITORY / "tests").rglob("test_*.py")}
    assert parts - tested <= {Path("bioner_core")}


def _loaded_after(*names: str) -> set[str]:
    """The top-level packages that a fresh interpreter has loaded after importing these modules."""
    code = f"import sys, {', '.join(names)}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=REPOSITORY)
    return set(done.stdout.split())


def test_only_the_store_object_knows_where_its_parts_are() -> None:
    """Catches a path into a store that is joined elsewhere: a store on object storage would be passed by."""
    parts = {one.name for one in Store(Path("store")).signs}
    for path in modules("bioner", "bioner_core", "pipelines", "jobs"):
        for node in ast.walk(parsed(path)) if path.name != "layout.py" else ():
            where = f"{path}:{getattr(node, 'lineno', 0)}"
            if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div) and isinstance(node.right, ast.Constant):
                assert node.right.value not in parts, where
            if isinstance(node, ast.arg | ast.AnnAssign) and node.annotation is not None:
                name = node.arg if isinstance(node, ast.arg) else ast.unparse(node.target)
                assert name != "store" or ast.unparse(node.annotation) != "Path", where
