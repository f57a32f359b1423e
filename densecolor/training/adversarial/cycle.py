"""CycleGAN's training: two networks there and back, two discriminators, pictures that do not belong together."""

import tensorflow as tf

from densecolor.models.cyclegan import CHANNELS
from densecolor.models.cyclegan import create_translator
from densecolor.models.gray_vgg import to_gray
from densecolor.training.adversarial.engine import AdversarialColorizer
from densecolor.training.adversarial.engine import apply_gradients
from densecolor.training.adversarial.figures import GRAY
from densecolor.training.adversarial.figures import Figures
from densecolor.training.adversarial.replicas import average
from densecolor.training.adversarial.scenes import Scene

CYCLE, IDENTITY = 10.0, 5.0  # the paper's weights, of absolute differences of values in [-1, 1]


class CycleColorizer(AdversarialColorizer):
    """Trains a CycleGAN: what is colorized and what is true need not be the same pictures.

    Zhu et al., "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks", ICCV 2017. With the
    colorizer G, a network F from colours to gray, gray pictures a, and colour pictures b, the loss of both is

        gan_weight * (objective of D_color(G(a)) + objective of D_gray(F(b)))
        + 10 * (|F(G(a)) - a| + |G(F(b)) - b|) + 5 * (|G(b) - b| + |F(a) - a|)

    The discriminators see a picture alone, without its lightness, and learn from the pictures of the pools. The logs'
    `loss`, `ab_mse` and the like compare with the gray pictures' own colours, which nothing here learns from.

    Args:
        generator: `CycleGANColorizer`.
        discriminators: list of two `PatchDiscriminator` of RGB without lightness, for colour and for gray pictures.
        objective: one of `densecolor.losses.ADVERSARIAL_OBJECTIVES` without a penalty, "lsgan" in the paper.
        gan_weight: float.
        pools: list of two `ImagePool`, or empty.
        **options: `discriminator_steps`, `clip` and `seed` of `AdversarialColorizer`.

    A batch's inputs have, beside `lightness`, `unpaired` (batch, H, W, 3), sRGB in [0, 1], the colour pictures, and
    `unpaired_weight` (batch,), 0 for padding. H and W are multiples of 4.
    """

    def __init__(self, generator, discriminators, objective, gan_weight=1.0, pools=(), **options):
        super().__init__(generator, discriminators, objective, gan_weight=gan_weight, pools=pools, **options)
        self.figures = Figures(("", GRAY), has_penalty=False, has_attention=False, more=("cycle", "identity"))
        self.reverse = create_translator(generator.filters, generator.blocks, name="reverse")

    @property
    def trained_variables(self):
        """Those of both networks."""
        return [*self.generator.trainable_variables, *self.reverse.trainable_variables]

    def train_step(self, data):
        """One step of both networks, and before it those of the discriminators."""
        inputs, targets, weights = data
        gray = tf.repeat(2 * to_gray(inputs["lightness"]) - 1, CHANNELS, axis=-1)
        color = 2 * inputs["unpaired"] - 1
        rows = tf.reshape(weights["ab"], [-1]), inputs["unpaired_weight"]
        with tf.GradientTape() as tape:
            outputs = self(inputs, training=True)
            made_color = 2 * outputs["rgb"] - 1
            made_gray = self.reverse(color, training=True)
            # Where one of the two pictures of a row only fills up its batch, the discriminators see neither.
            scenes = [_scene(color, made_color, rows[0] * rows[1]), _scene(gray, made_gray, rows[0] * rows[1])]
            if self.is_adversarial:
                with tape.stop_recording():
                    for _ in range(self.discriminator_steps):
                        self._train_discriminators([scene.without_gradient() for scene in scenes])
            loss = self._adversarial_loss(scenes) + self._cycle_loss(gray, color, made_gray, made_color, rows)
            own = self._compute_loss(inputs, targets, outputs, weights, training=True)
            trained = self.optimizer.scale_loss(loss + own)
        variables = self.trained_variables
        norm = apply_gradients(self.optimizer, tape.gradient(trained, variables), variables)
        self.figures.add_norm("generator_gradient_norm", norm)
        self.figures.add_spread(targets["ab"], outputs["ab"], rows[0])
        replicas = tf.distribute.get_strategy().num_replicas_in_sync
        self._loss_tracker.update_state(own * replicas, sample_weight=tf.shape(targets["ab"])[0])
        return self.compute_metrics(inputs, targets, outputs, weights)

    def call(self, inputs, training=None):
        """What the colorizer says."""
        return self.generator({"lightness": inputs["lightness"]}, training=training)

    def _cycle_loss(self, gray, color, made_gray, made_color, rows):
        """How far pictures are from themselves after both ways, and after the way that is not theirs."""
        forth, back = self.generator.translator, self.reverse
        loss = 0.0
        for name, weight, pairs in (
            ("cycle", CYCLE, ((back(made_color, training=True), gray), (forth(made_gray, training=True), color))),
            ("identity", IDENTITY, ((back(gray, training=True), gray), (forth(color, training=True), color))),
        ):
            for (again, picture), weights in zip(pairs, rows, strict=True):
                distance = tf.reduce_mean(tf.abs(again - picture), axis=(1, 2, 3))
                self.figures.add_more(name, distance, weights)
                loss += weight * average(distance, weights)
        return loss


def _scene(true, predicted, weight):
    return Scene({"rgb": (true + 1) / 2}, {"rgb": (predicted + 1) / 2}, weight, ("rgb",))
