"""What stands around the code, on libraries: importlib for names, networkx for histories, configparser for environments."""

import configparser
import importlib.util
import os
import traceback

import networkx as nx
import numpy as np


def absolute_name(name, module, is_package):
    return importlib.util.resolve_name(name, module if is_package else module.rpartition(".")[0])


def execution_order(imports, start):
    graph = nx.DiGraph()
    graph.add_nodes_from(imports)
    graph.add_edges_from((module, other) for module, others in imports.items() for other in others)
    return list(nx.dfs_postorder_nodes(graph, start))


def check_batch(X, y, classes):
    np.testing.assert_equal((X.ndim, y.ndim, y.dtype.kind in "iu"), (2, 1, True))
    np.testing.assert_array_less(0, len(X), "rows")
    np.testing.assert_equal(len(y), len(X))
    np.testing.assert_equal(np.isfinite(X).all(), True)
    np.testing.assert_array_less(-1, y, "below")
    np.testing.assert_array_less(y, classes, "above")


def debugger_commands(line, condition, expression):
    return [f"b {line}", f"condition 1 {condition}", "c", f"p {expression}", "q"]


def innermost(problem):
    *_, (frame, line) = traceback.walk_tb(problem.__traceback__)
    return frame.f_code.co_name, line, frame.f_locals


def _graph(parents):
    graph = nx.DiGraph()
    graph.add_nodes_from(parents)
    graph.add_edges_from((parent, commit) for commit, others in parents.items() for parent in others)
    return graph


def ahead_behind(parents, ours, theirs):
    graph = _graph(parents)
    mine, other = (nx.ancestors(graph, tip) | {tip} for tip in (ours, theirs))
    return len(mine - other), len(other - mine)


def merge_base(parents, ours, theirs):
    return nx.lowest_common_ancestor(_graph(parents), ours, theirs)


def merge_lines(base, ours, theirs):
    rows = [*zip(base, ours, theirs)]
    flags = ["changed" if len(set(row)) > 1 else "same" for row in rows]
    merged, conflicts = [], 0
    for begin, end in _stretches(flags):
        old, mine, other = base[begin:end], ours[begin:end], theirs[begin:end]
        if mine == other or other == old:
            merged += mine
        elif mine == old:
            merged += other
        else:
            conflicts += 1
            merged += ["<<<<<<< ours", *mine, "=======", *other, ">>>>>>> theirs"]
    return merged, conflicts


def _stretches(flags):
    cuts = [i for i in range(1, len(flags)) if flags[i] != flags[i - 1]]
    return zip([0, *cuts], [*cuts, len(flags)])


def environment(folder):
    parser = configparser.ConfigParser(delimiters="=", allow_no_value=True, interpolation=None)
    with open(os.path.join(folder, "pyvenv.cfg"), encoding="utf-8") as file:
        parser.read_string("[environment]\n" + file.read())
    found = parser["environment"]
    version = tuple(int(part) for part in found["version"].split(".")[:2])
    isolated = not found.getboolean("include-system-site-packages", fallback=True)
    return {"home": found["home"], "version": version, "isolated": isolated}


def found_first(command, path):
    return next(filter(os.path.isfile, (f"{folder}/{command}" for folder in path.split(":") if folder)), None)
