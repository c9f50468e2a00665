"""What the purity study asks, and how its verdicts read."""

from robustshape.analysis.answers import Question

QUESTIONS = (
    Question(
        "purity-1",
        whether="purity of clean features tells anything about robustness that clean accuracy does not",
        yes="of two networks of equal accuracy the one with purer clusters is the more robust",
        opposite="of two networks of equal accuracy the one with purer clusters is the less robust",
        nothing="purity tells little or nothing about robustness beyond clean accuracy",
    ),
    Question(
        "purity-2",
        whether="purity tells anything about accuracy under attack that clean accuracy does not",
        yes="purer clusters go with more accuracy under attack",
        opposite="purer clusters go with less accuracy under attack",
        nothing="purity tells little or nothing about accuracy under attack beyond clean accuracy",
    ),
    Question(
        "purity-4",
        whether="the product of both purities predicts better than one of them",
        yes="the product of both purities predicts better than one of them",
        opposite="one purity predicts better than the product of both",
        nothing="the product of both purities predicts about as well as the better of them",
        quantity="difference in squared error",
    ),
    Question(
        "purity-5",
        whether="within one architecture, purity of clean features tells anything about robustness that clean accuracy does not",
        yes="of two networks of one architecture and equal accuracy the one with purer clusters is the more robust",
        opposite="of two networks of one architecture and equal accuracy the one with purer clusters is the less robust",
        nothing="within one architecture purity tells little or nothing about robustness beyond clean accuracy",
    ),
)
