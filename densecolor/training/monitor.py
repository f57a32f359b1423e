"""Which epoch of a run is the best one: the one with the lowest value of what `TrainConfig.monitor` names."""

MONITORS = ("ab_mse", "info_loss")


def monitored_column(monitor, figures):
    """The name of the column that decides: the validation's where there is one, otherwise the training's.

    Args:
        monitor: one of `MONITORS`.
        figures: dict with the columns of an epoch.

    Example:
        >>> monitored_column("ab_mse", {"ab_mse": 0.1, "val_ab_mse": 0.2})
        'val_ab_mse'
    """
    validation = f"val_{monitor}"
    return validation if validation in figures else monitor


def best_row(history, monitor):
    """The first epoch with the lowest value.

    Args:
        history: list of dict, a row an epoch, at least one.
        monitor: one of `MONITORS`.
    """
    column = monitored_column(monitor, history[0])
    return min(history, key=lambda row: row[column])
