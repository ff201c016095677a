"""Symbolic derivatives on sympy: in by its constructors, out again as nested tuples; values by Python itself."""

import math

import sympy

FUNCTIONS = {"exp": sympy.exp, "log": sympy.log, "sin": sympy.sin, "cos": sympy.cos}


def _into(e):
    if isinstance(e, str):
        return sympy.Symbol(e)
    if not isinstance(e, tuple):
        return sympy.nsimplify(e)
    sign, *parts = e
    parts = [_into(part) for part in parts]
    if sign in FUNCTIONS:
        return FUNCTIONS[sign](*parts)
    a, b = parts
    return {"+": lambda: a + b, "-": lambda: a - b, "*": lambda: a * b, "/": lambda: a / b, "^": lambda: a**b}[sign]()


def _out(s):
    if s.is_Symbol:
        return s.name
    if s.is_number:
        return int(s) if s.is_Integer else float(s)
    for name, function in FUNCTIONS.items():
        if isinstance(s, function):
            return (name, _out(s.args[0]))
    if s.is_Pow:
        return ("^", _out(s.base), _out(s.exp))
    sign = "+" if s.is_Add else "*"
    first, *rest = s.args
    whole = _out(first)
    for part in rest:
        whole = (sign, whole, _out(part))
    return whole


def evaluate(expression, values):
    return float(eval(_source(expression), {"__builtins__": {}}, {**vars(math), **values}))


def _source(e):
    if not isinstance(e, tuple):
        return f"({e})"
    sign, *parts = e
    parts = [_source(part) for part in parts]
    return f"{sign}({parts[0]})" if sign in FUNCTIONS else f"({parts[0]} {'**' if sign == '^' else sign} {parts[1]})"


def derivative(expression, name):
    return _out(sympy.diff(_into(expression), sympy.Symbol(name)))


def gradient(expression, names):
    return {name: derivative(expression, name) for name in names}


def simplified(expression):
    whole = _into(expression)
    return expression if whole.has(sympy.zoo, sympy.nan) else _out(sympy.N(whole) if whole.is_number else whole)
