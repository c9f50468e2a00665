"""What the comparison asks, and how its verdicts read."""

from robustshape.analysis.answers import Question

QUESTIONS = (
    Question(
        "cross-1",
        whether="any number of clean features tells something about corrupted accuracy that clean accuracy does not",
        yes="at least one number of clean features tells something about corrupted accuracy that clean accuracy does not",
        opposite="numbers of clean features mislead about corrupted accuracy",
        nothing="no number of clean features tells more than a little about corrupted accuracy beyond clean accuracy",
        quantity="largest partial r",
        interval="95 % interval, simultaneous over all numbers,",
    ),
    Question(
        "cross-2",
        whether="purity and k* order networks alike",
        yes="purity and k* order networks alike",
        opposite="purity and k* order networks in opposite ways",
        nothing="purity and k* order networks almost independently of each other",
        quantity="rank correlation",
    ),
    Question(
        "cross-4",
        whether="a line fitted on digit networks predicts these better from a number of clean features than from clean accuracy",
        yes="a line fitted on digit networks predicts these better from a number of clean features than from clean accuracy",
        opposite="a line fitted on digit networks predicts these worse from a number of clean features than from clean accuracy",
        nothing="a line fitted on digit networks predicts these about as well from clean accuracy as from a number of clean features",
        quantity="difference in out-of-sample R²",
    ),
    Question(
        "cross-3",
        whether="training for less class selectivity makes feature spaces less fractured and purer",
        yes="training for less class selectivity makes feature spaces less fractured and purer",
        opposite="training for less class selectivity makes feature spaces more fractured or less pure",
        nothing="training for less class selectivity hardly changes how fractured and pure feature spaces are",
        quantity="change of log10 for each unit of alpha",
    ),
)
