"""How each published system was trained: values for `densecolor.training.TrainConfig`, by the name of the preset.

A comment says what is the paper's, and what of it is not reproduced; what has none is our choice, where the paper says
nothing that could be read. Weights of losses are those for our losses of ab / 128, averaged over pixels and both
channels. Epochs are left out where nothing is known of them. The second stage of a training is called so:
`scgan_stage2`.
"""

# The paper's loss is of values in [0, 1] that stand for a and b in [-110, 110].
_IIZUKA_SCALE = (2 * 110 / 128) ** 2
_CHROMAGAN_SCALE = (255 / 128) ** 2  # of values in [0, 1] that stand for a and b in [-128, 127]
_PIX2PIX_SCALE = 110 / 128  # of values in [-1, 1] that stand for a and b in [-110, 110], in absolute differences

# pix2pix's weight of 100 beside the mean absolute error of values in [-1, 1], ours being in [0, 1].
_TABLE = {"schedule": "constant", "batch_size": 8, "image_size": 256, "gan_weight": 1 / 200}

RECIPES = {
    "colorful": {
        "optimizer": "adamw",  # the paper's Adam has L2 in the gradient, 1e-3; here the decay is decoupled
        "weight_decay": 1e-3,
        "learning_rate": 1e-4,  # the paper's 3e-5 is for weights that k-means has prepared
        "warmup_steps": 1000,
        "schedule": "step",  # the released code's: a tenth every 225,000 steps, which are 7 epochs of ImageNet
        "step_epochs": 7,
        "step_factor": 0.1,
        "epochs": 16,  # the released code's 500,000 steps
        "batch_size": 40,  # the released code's
        "image_size": 176,  # the released code's: random crops, and flips, of pictures of 256
    },
    "hypercolumn": {
        "optimizer": "sgd",  # the released code's, as are momentum and rate; its weight decay of 5e-4 is left out
        "momentum": 0.9,
        "learning_rate": 1e-3,
        "schedule": "step",  # the released code's first drop, after a million steps of 8; it has more and uneven ones
        "step_epochs": 6,
        "step_factor": 0.1,
        "epochs": 12,
        "batch_size": 8,  # the released code's; its crops of 352 need pictures that were packed at that size
    },
    "dense": {
        "optimizer": "adam",
        "learning_rate": 1e-3,
        "schedule": "cosine",
        "batch_size": 16,
        "label_weight": 1.0,  # the paper's: the two losses share no variables
    },
    "koalarization": {
        "optimizer": "adam",  # the paper's, as is the rate
        "learning_rate": 1e-3,
        "schedule": "constant",
        "batch_size": 100,  # the paper's
        "image_size": 224,  # the paper's
        "augment": False,  # the paper's: nothing but the resized pictures, since embeddings were computed before
    },
    "residual": {
        "optimizer": "adam",
        "learning_rate": 1e-3,
        "schedule": "cosine",
        "batch_size": 16,
        "image_size": 224,
        "label_weight": 1 / 300,  # as Iizuka et al.
    },
    "iizuka": {
        "optimizer": "adadelta",  # the paper's
        "learning_rate": 1.0,  # that of the method's own paper; Keras' 1e-3 would learn next to nothing
        "schedule": "constant",
        "batch_size": 128,  # the paper's
        "image_size": 224,  # the paper's: random crops, and flips, of pictures of 256
        "epochs": 11,  # the paper's: 200,000 steps on the 2.4 million pictures of Places
        "label_weight": _IIZUKA_SCALE / 300,  # the paper's 1/300
    },
    # The first of the paper's two stages, without its discriminators.
    "scgan": {
        "optimizer": "adam",  # the released code's, as are rate, beta_1 and schedule
        "learning_rate": 2e-4,
        "beta_1": 0.5,
        "schedule": "step",
        "step_epochs": 10,
        "step_factor": 0.5,
        "epochs": 10,  # of up to 40; the second stage starts from the tenth
        "batch_size": 32,  # the released code's, over four GPUs
        "image_size": 256,  # the paper's
    },
    # The second goes on from the tenth epoch of the first; all but what is said is the released code's.
    "scgan_stage2": {
        "optimizer": "adam",
        "learning_rate": 1e-4,
        "beta_1": 0.5,
        "schedule": "step",
        "step_epochs": 10,
        "step_factor": 0.5,
        "epochs": 31,
        "batch_size": 16,  # 4 for each GPU; that there are four is taken from the first stage
        "image_size": 256,
        "perceptual": "imagenet",  # its weight of 5 is that of `losses.ReconstructionLoss`
        "gan": "wgan-gp",
        "gan_mask": "learned",  # the paper's; the released code has the discriminator of the whole picture alone
        "gan_weight": 0.05,
        "gan_spectral": True,  # the code's BatchNormalization beside it does not fit the penalty: instance here
        "attention_weight": 0.0,  # the output masked_rgb has that loss
    },
    # Nothing of the paper's schedule could be read: SCGAN's, in one stage, with the batch of a single GPU.
    "smcgan": {
        "optimizer": "adam",
        "learning_rate": 2e-4,
        "beta_1": 0.5,
        "schedule": "step",
        "step_epochs": 10,
        "step_factor": 0.5,
        "epochs": 40,
        "batch_size": 8,
        "image_size": 256,
        "gan": "wgan-gp",
        "gan_mask": "learned",
        "gan_weight": 0.05,
        "attention_weight": 0.0,  # the output masked_rgb has that loss
    },
    # An optimizer like Adam does not mind that all of the colorizer's losses are divided by the paper's weight of 100.
    "pix2pix": {
        "optimizer": "adam",  # the paper's, as are rate, beta_1 and the losses
        "learning_rate": 2e-4,
        "beta_1": 0.5,
        "schedule": "constant",
        "batch_size": 4,  # the paper's for colorization, as is that it takes about 6 epochs of ImageNet
        "image_size": 256,
        "gan": "vanilla",
        "gan_weight": _PIX2PIX_SCALE / 100,
        "gan_normalization": "batch",
        "color_loss": "mae",
    },
    "dcgan": {
        "optimizer": "adam",
        "learning_rate": 3e-4,  # the released code's, as are beta_1 and the losses
        "beta_1": 0.0,
        "schedule": "constant",  # the code's falls to a tenth in 500,000 steps
        "epochs": 10,  # the code's
        "batch_size": 16,  # the code's; its two steps of the colorizer for each of the discriminator are not reproduced
        "image_size": 256,
        "gan": "vanilla-smoothed",  # an option of the code's, for the label of true colours
        "gan_weight": 0.01,  # beside the mean absolute error of lightness and ab, which has 100 in the code
        "gan_normalization": "batch",
    },
    "chromagan": {
        "optimizer": "adam",  # the released code's, as are rate, beta_1, epochs, batch and losses
        "learning_rate": 2e-5,
        "beta_1": 0.5,
        "schedule": "constant",
        "epochs": 5,
        "batch_size": 10,
        "image_size": 224,  # the paper's
        "label_weight": 0.003 * _CHROMAGAN_SCALE,  # of the data's classes, where no teacher says others
        "gan": "wgan-gp",
        "gan_weight": 0.1 * _CHROMAGAN_SCALE,
        "gan_normalization": "none",
    },
    "colorgan": {
        "optimizer": "rmsprop",  # the released code's, as are rates, epochs, batch and steps
        "learning_rate": 1e-4,
        "schedule": "constant",
        "epochs": 100,
        "batch_size": 64,
        "image_size": 64,  # the paper's
        "gan": "wgan",
        "gan_network": "picture",
        "gan_layers": 4,
        "gan_normalization": "batch",
        "gan_weight": 1.0,
        "gan_discriminator_steps": 5,
        "gan_discriminator_rate": 2e-4,
        "color_weight": 0.0,  # the paper's: nothing compares with the true colours
    },
    "cyclegan": {
        "optimizer": "adam",  # the paper's, as are rate, beta_1, batch, pool and losses
        "learning_rate": 2e-4,
        "beta_1": 0.5,
        "schedule": "constant",  # the paper's first 100 epochs; 100 more go linearly to zero
        "epochs": 100,
        "batch_size": 1,
        "image_size": 256,
        "gan": "lsgan",
        "gan_weight": 2.0,  # the code's objective of the colorizer is not halved as ours is
        "gan_pool": 50,
        "gan_normalization": "instance_plain",
        "color_weight": 0.0,
    },
    # SMCGAN's table says no more than the names: the networks are pix2pix's, the losses those of each method's paper.
    "gan": _TABLE
    | {
        "optimizer": "adam",
        "learning_rate": 2e-4,
        "beta_1": 0.5,
        "gan": "vanilla",
        "gan_weight": 1.0,
        "gan_normalization": "batch",
        "color_weight": 0.0,
    },
    "wgan": _TABLE
    | {
        "optimizer": "rmsprop",  # the method's paper's, as are rate and steps
        "learning_rate": 5e-5,
        "gan": "wgan",
        "gan_normalization": "layer",
        "gan_discriminator_steps": 5,
    },
    "wgan_gp": _TABLE
    | {
        "optimizer": "adam",  # the method's paper's, as are rate, beta_1 and steps; its beta_2 is 0.9
        "learning_rate": 1e-4,
        "beta_1": 0.0,
        "gan": "wgan-gp",
        "gan_normalization": "layer",
        "gan_discriminator_steps": 5,
    },
    "mask_guided": {
        "optimizer": "adam",
        "learning_rate": 1e-3,
        "schedule": "cosine",
        "batch_size": 16,
        "attention_weight": 0.0,  # of an adversary, if there is one: the output masked_ab has that loss
    },
}
