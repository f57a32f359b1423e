"""A colorizer and its discriminators as one Keras model, which `fit` trains."""

import keras
import tensorflow as tf

from densecolor.losses.adversarial import adversarial_objective
from densecolor.losses.adversarial import gradient_penalty
from densecolor.losses.adversarial import interpolate
from densecolor.losses.adversarial import mean_score
from densecolor.losses.adversarial import relative_scores
from densecolor.training.adversarial.figures import PREFIXES
from densecolor.training.adversarial.figures import Figures
from densecolor.training.adversarial.parts import judged_colors
from densecolor.training.adversarial.replicas import average
from densecolor.training.adversarial.replicas import clip_weights
from densecolor.training.adversarial.replicas import uniform
from densecolor.training.adversarial.replicas import whole_gradients
from densecolor.training.adversarial.replicas import whole_mean
from densecolor.training.adversarial.scenes import PACKED_MASKS
from densecolor.training.adversarial.scenes import make_scenes

# The gradient of a mean over patches is too small for float16; a power of two changes nothing else.
PENALTY_SCALE = 2.0**10


class AdversarialColorizer(keras.Model):
    """Trains a colorizer with its own losses and against discriminators.

    A step predicts once; the discriminators take their steps on this prediction; then the colorizer takes one, with
    the loss

        its own losses + gan_weight * sum over discriminators of the objective + attention_weight * attention

    where the objective is `densecolor.losses.adversarial_objective`, and the attention loss is the mean, over pixels
    and channels, of |mask * predicted - mask * true colours| (or its square), of pictures that have a mask. Colours
    are `rgb` or `lab` where the colorizer predicts them, else `ab`. Rows of
    weight 0 count in none of them. `loss` in the logs is the colorizer's own loss alone, so that training and
    validation can be compared. Called, and in validation, the model is the colorizer.

    Args:
        generator: a colorizer.
        discriminators: list of `PatchDiscriminator`: for the whole picture, and with a mask for what is inside
            (`sees_mask`), one of them or both.
        objective: one of `densecolor.losses.ADVERSARIAL_OBJECTIVES`.
        mask: one of `scenes.GAN_MASKS`; "learned" takes the generator's output `mask`.
        gan_weight: float, of each discriminator's judgement in the colorizer's loss.
        attention: "l1" or "l2".
        attention_weight: float.
        discriminator_steps: int, of the discriminators for each of the colorizer, on the same pictures.
        penalty: float, weight of the gradient penalty where the objective has one.
        clip: float, bound of the discriminators' weights where the objective clips them.
        pools: list of `ImagePool`, one a discriminator; empty for none.
        seed: int, of what is drawn in a step.

    Attributes:
        is_adversarial: False trains the colorizer without the adversary. It is looked at when a train function is made.
        target_names: tuple of str, the targets that a batch must have.

    Example:
        >>> model = AdversarialColorizer(models.create("unet"), [models.PatchDiscriminator()], "hinge")
        >>> model.compile("adam", keras.optimizers.Adam(2e-4), loss={"ab": losses.ColorMSE()})
        >>> model.fit(densecolor.dataset.load("packed", targets=model.target_names))
    """

    def __init__(
        self,
        generator,
        discriminators,
        objective,
        mask="none",
        gan_weight=0.01,
        attention="l1",
        attention_weight=0.5,
        discriminator_steps=1,
        penalty=10.0,
        clip=0.01,
        pools=(),
        seed=0,
    ):
        super().__init__(name="adversarial_colorizer")
        self.dtype_policy = generator.dtype_policy
        self.generator = generator
        self.discriminators = list(discriminators)
        self.pools = list(pools)
        self.objective = adversarial_objective(objective)
        self.mask_source = mask
        self.colors = judged_colors(generator)
        self.gan_weight = gan_weight
        self.attention = attention
        self.attention_weight = attention_weight
        self.discriminator_steps = discriminator_steps
        self.penalty = penalty
        self.clip = clip
        self.seed = seed
        self.is_adversarial = True
        extra = ("mask",) if mask in PACKED_MASKS and "mask" not in generator.output_names else ()
        self.target_names = (*generator.output_names, *extra)
        prefixes = [PREFIXES[network.sees_mask] for network in self.discriminators]
        self.figures = Figures(prefixes, self.objective.has_penalty, mask != "none")
        self.built = True

    @property
    def output_names(self):
        """The colorizer's."""
        return self.generator.output_names

    @property
    def metrics(self):
        """The colorizer's, and the adversary's."""
        return [*super().metrics, *self.figures.metrics]

    @property
    def trained_variables(self):
        """What the colorizer's optimizer trains."""
        return self.generator.trainable_variables

    @property
    def discriminator_variables(self):
        """What the discriminators train."""
        return [variable for network in self.discriminators for variable in network.trainable_variables]

    def compile(self, optimizer, discriminator_optimizer, **options):
        """Set both optimizers and build them, and what `keras.Model.compile` takes about the colorizer.

        In mixed_float16 each optimizer scales its own loss.
        """
        super().compile(optimizer=optimizer, **options)
        if self.dtype_policy.name == "mixed_float16":
            discriminator_optimizer = keras.optimizers.LossScaleOptimizer(discriminator_optimizer)
        self.discriminator_optimizer = discriminator_optimizer
        self.optimizer.build(self.trained_variables)
        discriminator_optimizer.build(self.discriminator_variables)

    def call(self, inputs, training=None):
        """What the colorizer says."""
        return self.generator(inputs, training=training)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """The colorizer's own loss."""
        return super().compute_loss(x, self._of_outputs(y), y_pred, self._of_outputs(sample_weight), training)

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        """The colorizer's own metrics."""
        return super().compute_metrics(x, self._of_outputs(y), y_pred, self._of_outputs(sample_weight))

    def train_step(self, data):
        """One step of the colorizer, and before it those of the discriminators."""
        inputs, targets, weights = data
        with tf.GradientTape() as tape:
            outputs = self(inputs, training=True)
            scenes = make_scenes(inputs["lightness"], targets, weights, outputs, self.mask_source, self.colors)
            shown = [scenes[network.sees_mask] for network in self.discriminators]
            if self.is_adversarial:
                with tape.stop_recording():
                    for _ in range(self.discriminator_steps):
                        self._train_discriminators([scene.without_gradient() for scene in shown])
            loss = self._compute_loss(inputs, targets, outputs, weights, training=True)
            more = self._adversarial_loss(shown) + self._attention_loss(scenes[-1])
            trained = self.optimizer.scale_loss(loss + more)
        variables = self.trained_variables
        norm = apply_gradients(self.optimizer, tape.gradient(trained, variables), variables)
        self.figures.add_norm("generator_gradient_norm", norm)
        self.figures.add_spread(targets["ab"], outputs["ab"], scenes[0].weight)
        # Keras made it one replica's share of the whole.
        replicas = tf.distribute.get_strategy().num_replicas_in_sync
        self._loss_tracker.update_state(loss * replicas, sample_weight=tf.shape(targets["ab"])[0])
        return self.compute_metrics(inputs, targets, outputs, weights)

    def test_step(self, data):
        """Validate the colorizer; the adversary takes no part."""
        results = super().test_step(data)
        return {name: value for name, value in results.items() if name not in self.figures.names}

    def _get_metrics_result_or_logs(self, logs):
        """Those of the step's figures: Keras would take the last step's where they are not all."""
        results = self.get_metrics_result()
        return {name: results[name] for name in logs} if set(logs) <= set(results) else logs

    def _of_outputs(self, values):
        """Without the mask that only the adversary asks for."""
        return {name: values[name] for name in self.output_names}

    def _adversarial_loss(self, scenes):
        """What the discriminators say of the colorizer's pictures."""
        loss = 0.0
        if self.is_adversarial:
            for place, (network, scene) in enumerate(zip(self.discriminators, scenes, strict=True)):
                true, predicted = self._judge(network, scene)
                rows = mean_score(self.objective.generator(true, predicted))
                self.figures.add(place, "gan_generator", rows, scene.weight)
                loss += self.gan_weight * average(rows, scene.weight)
        return loss

    def _attention_loss(self, masked):
        """How wrong the colours inside the mask are."""
        if self.mask_source == "none":
            return 0.0
        distance = tf.abs if self.attention == "l1" else tf.square
        rows = tf.reduce_mean(distance(masked.predicted[self.colors] - masked.true[self.colors]), axis=(1, 2, 3))
        self.figures.add_attention(rows, masked.weight)
        return self.attention_weight * average(rows, masked.weight)

    def _train_discriminators(self, scenes):
        """One step of all discriminators together."""
        seed = tf.stack([self.seed, tf.cast(self.discriminator_optimizer.iterations, tf.int32)])
        scenes = [self._with_earlier(place, scene, seed) for place, scene in enumerate(scenes)]
        for network in self.discriminators:
            network.iterate()
        with tf.GradientTape() as tape:
            judged = enumerate(zip(self.discriminators, scenes, strict=True))
            losses = [self._discriminator_loss(place, network, scene, seed) for place, (network, scene) in judged]
            trained = self.discriminator_optimizer.scale_loss(tf.add_n(losses))
        variables = self.discriminator_variables
        norm = apply_gradients(self.discriminator_optimizer, tape.gradient(trained, variables), variables)
        self.figures.add_norm("discriminator_gradient_norm", norm)
        if self.objective.clips_weights:
            clip_weights(variables, self.clip)

    def _with_earlier(self, place, scene, seed):
        """A scene whose predicted pictures come from the pool, where there is one."""
        if not self.pools:
            return scene
        predicted = self.pools[place].exchange(scene.predicted, scene.weight, _fold(seed, "pool", place))
        return scene._replace(predicted=predicted, varying=tuple(predicted))

    def _discriminator_loss(self, place, network, scene, seed):
        scores = network(scene.true, training=True), network(scene.predicted, training=True)
        true, predicted = self._relative(*scores, scene)
        rows = mean_score(self.objective.discriminator(true, predicted))
        self.figures.add(place, "gan_discriminator", rows, scene.weight)
        self.figures.add_scores(place, *map(mean_score, scores), scene.weight)
        if self.objective.has_penalty:
            share = uniform(_fold(seed, "penalty", place), scene.weight.shape[0])
            penalty = self._penalty(network, scene, share)
            self.figures.add(place, "gradient_penalty", penalty, scene.weight)
            rows += self.penalty * penalty
        return average(rows, scene.weight)

    def _judge(self, network, scene):
        """The scores that the colorizer's objective takes."""
        predicted = network(scene.predicted, training=True)
        if not self.objective.is_relativistic:
            return predicted, predicted  # none looks at the scores of true colours
        return self._relative(network(scene.true, training=True), predicted, scene)

    def _relative(self, true, predicted, scene):
        if not self.objective.is_relativistic:
            return true, predicted
        means = (whole_mean(mean_score(scores), scene.weight) for scores in (true, predicted))
        return relative_scores(true, predicted, *means)

    def _penalty(self, network, scene, share):
        """The gradient penalty of each row."""
        points = {name: interpolate(scene.true[name], scene.predicted[name], share) for name in scene.true}
        watched = [points[name] for name in scene.varying]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(watched)
            # No picture's score depends on another picture, so this sum's gradient is that of each.
            score = tf.reduce_sum(mean_score(network(points, training=True))) * PENALTY_SCALE
        return gradient_penalty([gradient / PENALTY_SCALE for gradient in tape.gradient(score, watched)])


def apply_gradients(optimizer, gradients, variables):
    """Take a step with the gradients of all replicas.

    They are added up here, for the norm, and because Keras' loss scaling looks at one replica's share alone to find
    whether a float16 gradient has overflowed. Keras then adds up equal shares once more.

    Args:
        optimizer: `keras.optimizers.Optimizer`, built.
        gradients: list of tensors, this replica's shares of the scaled loss's.
        variables: list of as many Keras variables.

    Returns:
        The norm that the gradients of all replicas have together.
    """
    scale = optimizer.scale_loss(1.0)
    whole = whole_gradients(gradients)
    norm = tf.linalg.global_norm([gradient for gradient in whole if gradient is not None]) / scale
    replicas = tf.distribute.get_strategy().num_replicas_in_sync
    optimizer.apply([None if gradient is None else gradient / replicas for gradient in whole], variables)
    return norm


def _fold(seed, purpose, place):
    """A seed of its own for each thing that is drawn for each discriminator."""
    return tf.random.experimental.stateless_fold_in(seed, 2 * place + ("pool", "penalty").index(purpose))
