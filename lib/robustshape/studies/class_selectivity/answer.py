"""What the selectivity study asks, and how its verdicts read. A slope below 0: the number rises as alpha falls."""

from robustshape.analysis.answers import Question

QUESTIONS = (
    Question(
        "selectivity-3a",
        whether="training for less class selectivity helps on corrupted images",
        yes="networks trained for less class selectivity are right more often on corrupted images",
        opposite="networks trained for less class selectivity are right less often on corrupted images",
        nothing="training for less class selectivity hardly changes accuracy on corrupted images",
        quantity="accuracy for each unit of alpha",
    ),
    Question(
        "selectivity-10a",
        whether="less selective networks keep a larger share of their accuracy there",
        yes="less selective networks keep a larger share of their accuracy on corrupted images",
        opposite="less selective networks keep a smaller share of their accuracy on corrupted images",
        nothing="selectivity hardly changes the share of accuracy that is kept on corrupted images",
        quantity="share of accuracy for each unit of alpha",
        limits=True,
    ),
    Question(
        "selectivity-4a",
        whether="training for less class selectivity hurts under attack",
        yes="under attack less selective networks keep less of their accuracy",
        opposite="under attack, too, less selective networks keep more of their accuracy",
        nothing="under attack less selectivity hardly matters",
        quantity="share of accuracy for each unit of alpha",
    ),
    Question(
        "selectivity-4b",
        whether="training for more class selectivity helps under attack",
        yes="training for more selectivity helps under attack",
        opposite="training for more selectivity hurts under attack",
        nothing="training for more selectivity hardly matters under attack",
        quantity="share of accuracy for each unit of alpha",
    ),
    Question(
        "selectivity-3b",
        whether="training for more class selectivity hurts on corrupted images",
        yes="training for more selectivity hurts on corrupted images",
        opposite="training for more selectivity helps on corrupted images",
        nothing="training for more selectivity hardly matters on corrupted images",
        quantity="accuracy for each unit of alpha",
    ),
    Question(
        "selectivity-5b",
        whether="adversarial training makes units more selective",
        yes="adversarial training makes units more selective",
        opposite="adversarial training makes units less selective",
        nothing="adversarial training hardly changes selectivity",
        quantity="difference in selectivity",
    ),
    Question(
        "selectivity-6",
        whether="more selective networks use fewer dimensions in their early layers",
        yes="the more selective a network is, the fewer dimensions its early layers use",
        opposite="the more selective a network is, the more dimensions its early layers use",
        nothing="selectivity hardly changes how many dimensions early layers use",
        quantity="share of dimensions for each unit of selectivity",
    ),
    Question(
        "selectivity-11",
        whether="class selectivity masks gradients",
        yes="selectivity masks gradients, so a network's own attack flatters it",
        opposite="the less selective a network is, the more its own attack flatters it",
        nothing="selectivity hardly masks gradients",
        quantity="accuracy that a stronger attack takes, for each unit of alpha",
    ),
    Question(
        "selectivity-2b",
        whether="training for less class selectivity raises clean accuracy",
        yes="training for less class selectivity raises clean accuracy",
        opposite="training for less class selectivity lowers clean accuracy",
        nothing="training for less class selectivity hardly matters for clean accuracy",
        quantity="accuracy for each unit of alpha",
    ),
)
