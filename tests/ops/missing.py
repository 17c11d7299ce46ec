"""What operations lack, by the rule of py_wgml/ops: found by walking the files, not by what the package exports."""

import ast
import importlib
import inspect
from pathlib import Path
from typing import Any

from ops.harness import Case
from ops.recipes import TYPE_OF

from py_wgml.gguf_model.weights import Matrix

ROOT = Path(__file__).parents[2]


def names(folder: Path, suffix: str) -> set[str]:
    """What the files of a folder are called, without those of its own folders."""
    return {path.stem for path in folder.glob(f"*{suffix}") if path.stem != "__init__"}


def operations(tree: ast.Module) -> list[str]:
    """The public functions of a module that take a Program."""
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")]
    return [f.name for f in functions if any(ast.unparse(a.annotation or a) == "Program" for a in f.args.args)]


def dispatched(tree: ast.Module) -> set[str]:
    """The kernels that a module dispatches by their names."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and node.args]
    kernels = [c.args[0] for c in calls if isinstance(c.func, ast.Attribute) and c.func.attr == "dispatch"]
    return {k.value for k in kernels if isinstance(k, ast.Constant) and isinstance(k.value, str)}


def imported(tree: ast.Module) -> set[str]:
    """The modules beside it that a module imports."""
    return {node.module for node in tree.body if isinstance(node, ast.ImportFrom) and node.level == 1 and node.module}


def missing_files(root: Path = ROOT) -> list[str]:
    """Where the files of a checkout break the rule, a line each."""
    folder = root / "py_wgml" / "ops"
    ops, kernels = names(folder, ".py"), names(root / "wgsl", ".wgsl")
    cases = names(root / "tests" / "ops" / "cases", ".py")
    trees = {path.relative_to(folder).as_posix(): ast.parse(path.read_text()) for path in folder.rglob("*.py")}
    owners = {k: max((op for op in ops if f"{k}_".startswith(f"{op}_")), key=len, default=None) for k in kernels}
    found = [f"kernel {kernel}: no operation" for kernel, owner in owners.items() if owner is None]
    found += [f"cases {name}: no operation" for name in cases - ops]
    found += [f"operation {op}: no cases" for op in ops - cases]
    found += [f"operation {op}: not in __init__.py" for op in ops - imported(trees["__init__.py"])]
    for path, tree in trees.items():
        name = path.removesuffix(".py")
        due = [name] if name in ops else []
        if operations(tree) != due:
            found.append(f"{path}: has the operations {operations(tree)}, not {due}")
        own = {kernel for kernel, owner in owners.items() if owner == name}
        if dispatched(tree) != own:
            found.append(f"{path}: dispatches {sorted(dispatched(tree))}, not {sorted(own)}")
        if due and not own and not imported(tree) & ops:
            found.append(f"operation {name}: no kernel, and made of no other operation")
    return sorted(found)


def functions() -> dict[str, Any]:
    """Every operation by its name."""
    ops = sorted(names(ROOT / "py_wgml" / "ops", ".py"))
    return {name: getattr(importlib.import_module(f"py_wgml.ops.{name}"), name) for name in ops}


def missing_cases(table: list[Case]) -> list[str]:
    """What a table lacks: operations, and tensor types of those that read matrices."""
    takes = {name: inspect.signature(op).parameters for name, op in functions().items()}
    typed = {name for name in takes if "weights" in takes[name] and takes[name]["weights"].annotation is Matrix}
    rows = {(case.name, kind) for case in table for kind in (case.kind, "")}
    wanted = {(op, "") for op in takes} | {(op, type) for op in typed for type in TYPE_OF}
    return sorted(f"{op} {type}".strip() for op, type in wanted - rows)
