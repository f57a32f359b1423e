"""What people are told before they take part."""

from densecolor.study.questions import SECONDS


def consent_text(questions):
    """The text of the first page, if the organiser gives none.

    Args:
        questions: list of `densecolor.study.design.Question`, those of one participant.

    Returns:
        str, paragraphs divided by empty lines.
    """
    minutes = max(1, round(sum(SECONDS[question.kind] for question in questions) / 60))
    return (
        "You will see photographs. Some have the colours that the camera saw; others were turned gray, and a computer "
        f"has made up their colours. You will be asked {len(questions)} short questions about them, which takes about "
        f"{minutes} {'minute' if minutes == 1 else 'minutes'}. What counts is what you see. "
        "A few questions only check that questions are read.\n\n"
        "Taking part is voluntary. You may stop at any time and go on later with the same link. Until the study is "
        "evaluated, you may withdraw on any page; then your answers are deleted.\n\n"
        "Your answers are stored, and nothing else: no name, no address of your computer, no time of day, no cookie. "
        "They may be published without anything that tells who gave them.\n\n"
        "Please take part only if you are 18 or older and, as far as you know, see colours as most people do. Best use "
        "a screen of normal brightness, without a night mode, and not a room in coloured light."
    )
