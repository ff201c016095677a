"""A practice project in calculus: a program that takes derivatives by the rules, as one does on paper.

An *expression* is a number, a name (a text), or a tuple with a sign in front: ("+", a, b), ("-", a, b), ("*", a, b), ("/", a, b),
("^", a, n) with a number n, ("exp", a), ("log", a), ("sin", a), ("cos", a), where a and b are expressions. So 3x^2 + 1 is
("+", ("*", 3, ("^", "x", 2)), 1). The chain rule is in every rule: what is inside has a derivative too.

Strang, Calculus, chapters 2 to 4, 6 and 13; Abelson and Sussman, Structure and Interpretation of Computer Programs, section 2.3.2.
"""

import math


def evaluate(expression, values):
    """The value of an expression, a float, where each name has the value that the dictionary says; KeyError if it says none."""
    if isinstance(expression, str):
        return float(values[expression])
    if not isinstance(expression, tuple):
        return float(expression)
    sign, *inside = expression
    a, *rest = (evaluate(part, values) for part in inside)
    if sign in ("exp", "log", "sin", "cos"):
        return getattr(math, sign)(a)
    (b,) = rest
    if sign == "+":
        return a + b
    if sign == "-":
        return a - b
    if sign == "*":
        return a * b
    return a / b if sign == "/" else a**b


def derivative(expression, name):
    """The derivative of an expression by a name, an expression. Other names are held where they are."""
    if not isinstance(expression, tuple):
        return 1 if expression == name else 0
    sign, a, *rest = expression
    da = derivative(a, name)
    if sign == "exp":
        return ("*", expression, da)
    if sign == "log":
        return ("/", da, a)
    if sign == "sin":
        return ("*", ("cos", a), da)
    if sign == "cos":
        return ("*", ("*", -1, ("sin", a)), da)
    if sign == "^":
        n = rest[0]
        return ("*", ("*", n, ("^", a, n - 1)), da) if n else 0
    b = rest[0]
    db = derivative(b, name)
    if sign in ("+", "-"):
        return (sign, da, db)
    if sign == "*":
        return ("+", ("*", da, b), ("*", a, db))
    return ("/", ("-", ("*", da, b), ("*", a, db)), ("^", b, 2))


def gradient(expression, names):
    """{name: the derivative by it, simplified} for each of the names."""
    return {name: simplified(derivative(expression, name)) for name in names}


def simplified(expression):
    """An expression of the same value, with nothing left in it that these rules shorten, in any part, however deep.

    A sign with numbers alone is its value (unless that has none, as 1 / 0). a + 0, 0 + a, a - 0, a * 1, 1 * a, a / 1 and a ^ 1
    are a; a * 0, 0 * a and 0 / a are 0; a ^ 0 is 1. More may be done.
    """
    if not isinstance(expression, tuple):
        return expression
    sign, *inside = expression
    inside = [simplified(part) for part in inside]
    whole = (sign, *inside)
    if not any(isinstance(part, (str, tuple)) for part in inside):
        try:
            return evaluate(whole, {})
        except (ArithmeticError, ValueError):
            return whole
    return _shorter(*whole) if len(inside) == 2 else whole


def _shorter(sign, a, b):
    """One of the rules for two operands of which one is no number; the expression as it is where none fits."""
    if sign == "*" and 0 in (a, b):
        return 0
    if sign == "/" and a == 0:
        return 0
    if sign == "^" and b == 0:
        return 1
    if (sign in ("+", "-") and b == 0) or (sign in ("*", "/", "^") and b == 1):
        return a
    if (sign == "+" and a == 0) or (sign == "*" and a == 1):
        return b
    return (sign, a, b)
