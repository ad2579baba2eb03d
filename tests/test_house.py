"""The rooms of the house: imports run one way, and the live side pulls in no trainer."""

import ast
import re
import subprocess
import sys

import pytest
from places import ROOT

FORBIDDEN = {"engines": ("realtime", "train", "torch"), "realtime": ("train", "torch"), "train": ()}


def imports(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


@pytest.mark.parametrize("room", FORBIDDEN)
def test_imports_run_one_way(room):
    wrong = [
        f"{path.relative_to(ROOT)}: {name}" for path in (ROOT / room).rglob("*.py") for name in imports(path) if name.split(".")[0] in FORBIDDEN[room]
    ]
    assert not wrong


def test_the_live_side_pulls_in_no_torch():
    code = "import sys, realtime.pipeline, realtime.cli.live, realtime.cli.replay; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_the_source_files_stay_small():
    long = [str(path) for room in FORBIDDEN for path in (ROOT / room).rglob("*.py") if len(path.read_text().splitlines()) > 400]
    assert not long


MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for room in FORBIDDEN
    for path in (ROOT / room).rglob("*.py")
}
# started by name, in a process of their own or by the tab's name
STARTED = {
    "realtime.cli.system",
    "realtime.naming.inputs.answers",
    "train.export.tflite",
    "train.explain.heat",
    "train.bench.gpu.unpacked",
    "engines.flow.fatbin",
}


def imported(module):
    """Modules of the house that a module imports, at once or later; what is for type checkers alone left out."""
    tree = ast.parse(MODULES[module].read_text())
    typed = {
        id(node)
        for branch in ast.walk(tree)
        if isinstance(branch, ast.If) and getattr(branch.test, "id", "") == "TYPE_CHECKING"
        for node in ast.walk(branch)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and id(node) not in typed:
            for alias in node.names:
                yield f"{node.module}.{alias.name}" if f"{node.module}.{alias.name}" in MODULES else node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def test_no_module_imports_itself_by_a_detour():
    graph = {module: {name for name in imported(module) if name in MODULES} for module in MODULES}
    while leaves := [module for module, needed in graph.items() if not needed]:
        graph = {module: needed - set(leaves) for module, needed in graph.items() if module not in leaves}
    circles = [module for module in graph if any(module in graph.get(other, ()) for other in graph[module])]
    assert not graph, f"in circles: {circles or sorted(graph)}"


def test_no_private_name_is_imported_from_another_module():
    wrong = []
    for module, path in MODULES.items():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] in FORBIDDEN:
                wrong += [
                    f"{module}: {node.module}.{alias.name}" for alias in node.names if alias.name.startswith("_") and alias.name != "__version__"
                ]
    assert not wrong


def test_every_module_is_wanted_by_somebody():
    wanted = {name for module in MODULES for name in imported(module)} | STARTED
    by_name = (ROOT / "pyproject.toml").read_text() + "".join(path.read_text() for path in MODULES.values())
    idle = [
        module
        for module, path in MODULES.items()
        if path.name not in ("__init__.py", "__main__.py", "tab.py") and module not in wanted and f'"{module}' not in by_name
    ]
    assert not idle


@pytest.mark.parametrize(("walk", "most"), (("From a frame to the log", 20), ("From an event to the Live tab", 12)))
def test_the_walks_through_the_house_are_short_and_lead_through_files_that_are_there(walk, most):
    told = (ROOT / "CONTRIBUTING.md").read_text().partition(f"### {walk}\n")[2]
    files = re.findall(r"^\d+\. `([^`]+)`", re.split(r"^#", told, flags=re.MULTILINE)[0], re.MULTILINE)
    assert 0 < len(files) <= most
    assert not [file for file in files if not (ROOT / file).is_file()]


def sections(docstring):
    """(section, name) of each entry of a docstring's Args and Attributes."""
    section = ""
    for line in docstring.splitlines():
        if line and not line.startswith(" "):
            section = line.rstrip(":") if line in ("Args:", "Attributes:") else ""
        elif section and (entry := re.match(r" {4}\*{0,2}([A-Za-z_]\w*):", line)):
            yield section, entry[1]


def test_docstrings_name_what_is_there():
    wrong, checked = [], 0
    for module, path in MODULES.items():
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.FunctionDef | ast.ClassDef) or not (text := ast.get_docstring(node)):
                continue
            made = node if isinstance(node, ast.FunctionDef) else next((one for one in node.body if getattr(one, "name", "") == "__init__"), None)
            there = {one.arg for one in ast.walk(made.args) if isinstance(one, ast.arg)} if made else set()
            inside = {one.attr for one in ast.walk(node) if isinstance(one, ast.Attribute)} | {
                one.id for one in ast.walk(node) if isinstance(one, ast.Name)
            }
            inside |= {one.name for one in ast.walk(node) if isinstance(one, ast.FunctionDef)}
            for section, name in sections(text):
                checked += 1
                if name not in (there if section == "Args" else inside) and not (isinstance(node, ast.ClassDef) and node.bases):
                    wrong.append(f"{module}.{node.name}: {name}")
    assert checked > 300 and not wrong


def test_an_ignored_finding_says_why():
    silent = re.compile(r"#\s*(noqa|type: ignore)(:\s*[A-Z0-9, ]+|\[[\w-]+\])?\s*$", re.MULTILINE)
    assert not [str(path) for path in MODULES.values() if silent.search(path.read_text())]


ARRAY = re.compile(r"\b(ndarray|Tensor|DeviceArray)\b")
SAID = re.compile(
    r"×|\([0-9A-Z…]\w*(, [^(),]+)*,?\)|\bN (numbers|times|labels|points|strings)\b|\(len|\b(u?int(8|16|32|64)|float(16|32|64)|bool|pixels?|px|milliseconds|seconds|hertz|radians|degrees|shape)\b"
)


def public_functions(tree, around=""):
    """(function, its docstring with that of its class) of all that others may call."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from public_functions(node, ast.get_docstring(node) or "")
        elif isinstance(node, ast.FunctionDef) and (not node.name.startswith("_") or node.name in ("__init__", "__call__")):
            yield node, f"{around} {ast.get_docstring(node) or ''}"


def test_what_takes_or_gives_arrays_says_their_shape_or_unit():
    told, silent = 0, []
    for module, path in MODULES.items():
        for function, docstring in public_functions(ast.parse(path.read_text())):
            arguments = function.args
            hints = [function.returns, *(each.annotation for each in arguments.posonlyargs + arguments.args + arguments.kwonlyargs)]
            if not any(ARRAY.search(ast.unparse(hint)) for hint in hints if hint):
                continue
            if SAID.search(docstring):
                told += 1
            else:
                silent.append(f"{module}.{function.name}")
    share = told / (told + len(silent))
    print(f"{told} of {told + len(silent)} functions with arrays say a shape or a unit: {share:.1%}; silent:", *silent, sep="\n  ")
    assert share >= 0.95
