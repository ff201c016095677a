"""The tables of classes and criteria that scikit-learn's tree tests go through, with ours in them."""

from groundup.classic.tree import DecisionTreeClassifier, DecisionTreeRegressor

CLF_TREES = {"DecisionTreeClassifier": DecisionTreeClassifier}
REG_TREES = {"DecisionTreeRegressor": DecisionTreeRegressor}
ALL_TREES = CLF_TREES | REG_TREES
