def answers():
    blamed = [29, 28, 24, 25, 22, 40, 39, 2, 8]
    names = "lost replayed disturbed worse waiting last impossible refused processor"
    return dict(zip(names.split(), blamed))
