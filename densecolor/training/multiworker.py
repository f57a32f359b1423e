"""What Keras' `fit` needs on several workers, until https://github.com/keras-team/keras/issues/20585 is fixed.

Under `tf.distribute.MultiWorkerMirroredStrategy`, Keras 3 fails in two places: it builds the model from a batch that it
reduces over the replicas as if it were one tensor, and it averages the scalars of a step over an axis that they do not
have. `repair` replaces both on one model, and has its metrics summed up and reset cheaply; nothing of it is saved with
the model. Once Keras is fixed, this file and its one call in `fit.py` can go.
"""

import functools

import tensorflow as tf


def repair(model, batch):
    """Let a compiled model `fit` and `evaluate` on several workers. Call it inside `strategy.scope()`.

    The figures of an epoch are exact: Keras computes them from sums and counts over all replicas. Those that callbacks
    see after a step are the mean of what each replica has seen in this epoch.

    Args:
        model: a built and compiled `keras.Model`, its optimizer built too.
        batch: (inputs, targets, sample_weights), any batch of the right structure and shapes.
    """
    model._symbolic_build(data_batch=batch)  # metrics and losses make their variables

    def nothing_to_build(iterator=None, data_batch=None):
        """All is built."""

    def make_train_function(force=False):
        if model.train_function is None or force:
            model.train_function = _function(model, model.train_step)

    def make_test_function(force=False):
        if model.test_function is None or force:
            model.test_function = _function(model, model.test_step)

    # In graphs, since an eager collective costs TensorFlow a thread pool; where each replica resets its own, none.
    summed_up = tf.function(model.get_metrics_result)
    reset_all = tf.function(functools.partial(model.distribute_strategy.run, model.reset_metrics))

    # For who keeps a state: these sums are spread over the workers, so all must read them at the same time.
    model.read_metrics = tf.function(lambda: [tf.convert_to_tensor(v.value) for v in model.metrics_variables])

    def results_or_logs(logs):
        results = {name: float(value) for name, value in summed_up().items()}
        # A validation has no figures of an adversary.
        return {name: results[name] for name in logs} if set(logs) <= set(results) else logs

    def reset_metrics():
        reset_all()

    model._maybe_symbolic_build = nothing_to_build
    model.make_train_function = make_train_function
    model.make_test_function = make_test_function
    model._get_metrics_result_or_logs = results_or_logs
    model.reset_metrics = reset_metrics


def _function(model, step):
    strategy = model.distribute_strategy

    @tf.function(reduce_retracing=True)
    def run(batch):
        logs = strategy.run(step, args=(batch,))
        return {name: strategy.reduce("MEAN", value, axis=None) for name, value in logs.items()}

    def function(iterator):
        batch = iterator.get_next_as_optional()
        if not batch.has_value():
            raise StopIteration
        return run(batch.get_value())

    return function
