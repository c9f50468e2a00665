"""What the k* study asks, and how its verdicts read."""

from robustshape.analysis.answers import Question

QUESTIONS = (
    Question(
        "kstar-3",
        whether="networks whose classes are fractured keep less of their accuracy under corruption, beyond clean accuracy",
        yes="of two networks of equal accuracy the one with less fractured classes is the more robust to corruption",
        opposite="of two networks of equal accuracy the one with less fractured classes is the less robust to corruption",
        nothing="fractured classes tell little or nothing about robustness to corruption beyond clean accuracy",
    ),
    Question(
        "kstar-6",
        whether="less fractured classes go with more accuracy under attack, beyond clean accuracy",
        yes="less fractured classes go with more accuracy under attack",
        opposite="less fractured classes go with less accuracy under attack",
        nothing="fractured classes tell little or nothing about accuracy under attack beyond clean accuracy",
    ),
    Question(
        "kstar-1",
        whether="most families fracture their classes more than Gaussian classes are",
        yes="most families fracture their classes more than Gaussian classes are",
        opposite="most families fracture their classes less than Gaussian classes are",
        nothing="about as many families fracture their classes more than Gaussian classes are as less",
        quantity="share of families",
    ),
    Question(
        "kstar-4",
        whether="adversarial training fractures classes",
        yes="adversarial training fractures classes",
        opposite="adversarial training makes classes less fractured",
        nothing="adversarial training changes fracturing by too little to matter",
        quantity="change of log10 mean k*",
    ),
    Question(
        "kstar-5",
        whether="k* tells accuracy under attack better than plots in two dimensions do",
        yes="k* tells accuracy under attack better than plots in two dimensions do",
        opposite="plots in two dimensions tell accuracy under attack better than k* does",
        nothing="k* and plots in two dimensions tell accuracy under attack equally well",
        quantity="difference in out-of-sample R²",
    ),
    Question(
        "kstar-7",
        whether="within one architecture, less fractured classes go with more accuracy under attack, beyond clean accuracy",
        yes="within one architecture, less fractured classes go with more accuracy under attack",
        opposite="within one architecture, less fractured classes go with less accuracy under attack",
        nothing="within one architecture, fractured classes tell little or nothing about accuracy under attack beyond clean accuracy",
    ),
    Question(
        "kstar-8",
        whether="within one architecture, adversarial training fractures classes",
        yes="within one architecture, adversarial training fractures classes",
        opposite="within one architecture, adversarial training makes classes less fractured",
        nothing="within one architecture, adversarial training changes fracturing by too little to matter",
        quantity="change of log10 mean k*",
    ),
    Question(
        "kstar-2",
        whether="networks whose classes are less fractured generalise better over data sets",
        yes="networks whose classes are less fractured generalise better over data sets",
        opposite="networks whose classes are less fractured generalise worse over data sets",
        nothing="fractured classes tell little or nothing about generalising over data sets",
        quantity="r",
    ),
)
