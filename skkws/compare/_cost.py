"""Multiplications of the networks in a model."""

from sklearn.pipeline import Pipeline


def multiply_adds(fitted):
    """Count the multiplications of the networks in a fitted model, for one clip.

    Parameters
    ----------
    fitted : estimator or None
        A pipeline is the sum of its steps; a step without a method `multiply_adds` counts nothing.

    Returns
    -------
    n : int
        0 where there is no network.
    """
    steps = [step for _, step in fitted.steps] if isinstance(fitted, Pipeline) else [fitted]
    return sum(step.multiply_adds() for step in steps if hasattr(step, "multiply_adds"))
