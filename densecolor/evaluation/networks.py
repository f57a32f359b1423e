"""Networks that look at colorized pictures: do they still recognise them, and do they see the same (FID)?"""

from densecolor.evaluation.measures import HIGHER
from densecolor.evaluation.measures import LOWER
from densecolor.evaluation.measures import Measure

NETWORK_MEASURES = {
    "top1": Measure(
        "Classifier top-1",
        "",
        HIGHER,
        3,
        "share of the labelled pictures that a classifier, shown the colorized picture, names right",
        None,
    ),
    "top5": Measure(
        "Classifier top-5",
        "",
        HIGHER,
        3,
        "share of the labelled pictures whose class is among the classifier's five most probable",
        None,
    ),
    "fid": Measure(
        "FID",
        "",
        LOWER,
        2,
        "Frechet distance between a network's features of the true and of the colorized "
        "pictures; smaller sets give larger distances",
        None,
        pooled=True,
    ),
}
