"""How many multiplications a network takes for one clip, and how much memory."""

import numpy as np

from skkws._engine.keras_networks import quiet_tensorflow
from skkws._engine.spec import BLOCKS, N_BANDS, N_DIMS


def of_embedding(n_frames):
    """Count the multiplications of the speech embedding's convolutions.

    Parameters
    ----------
    n_frames : int
        Log-mel frames.

    Returns
    -------
    n : int
    """
    frames, bands, channels = n_frames - 2, N_BANDS, BLOCKS[0][0]
    total = frames * bands * channels * 9
    for filters, pairs, (pooled_frames, pooled_bands) in BLOCKS:
        for _ in range(pairs):
            total += frames * bands * channels * filters * 3
            frames, channels = frames - 2, filters
            total += frames * bands * channels * filters * 3
        frames, bands = frames // pooled_frames, bands // pooled_bands
    return total + (frames - 2) * channels * N_DIMS * 3


def of_head(network):
    """Count the multiplications of the keyword head.

    Parameters
    ----------
    network : skkws._engine.head_network.HeadNetwork
        Its shape.

    Returns
    -------
    n : int
    """
    frames, inputs, total = network.n_vectors, network.n_dims, 0
    for _ in range(2):
        total += frames * network.kernel_size * inputs * network.filters
        frames, inputs = -(-frames // 2), network.filters
    return total + network.filters * network.n_classes


def of_model(model, shape=None):
    """Count the multiplications of any Keras model, as TensorFlow's profiler does, and those of recurrent layers.

    Parameters
    ----------
    model : keras.Model
        The network.
    shape : tuple of int or None, default=None
        Shape of a row; None takes the model's.

    Returns
    -------
    n : int
    """
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2_as_graph

    spec = tf.TensorSpec((1, *(shape or model.input_shape[1:])), model.input.dtype)
    with quiet_tensorflow():  # of the sessions that this starts
        function = tf.function(lambda x: model(x, training=False)).get_concrete_function(spec)
        frozen, _ = convert_variables_to_constants_v2_as_graph(function)
        with tf.Graph().as_default() as graph:
            tf.graph_util.import_graph_def(frozen.graph.as_graph_def(), name="")
            options = tf.compat.v1.profiler.ProfileOptionBuilder.float_operation()
            options = tf.compat.v1.profiler.ProfileOptionBuilder(options).with_empty_output().build()
            counted = tf.compat.v1.profiler.profile(graph, options=options).total_float_ops // 2
    # The profiler does not look into loops.
    loops = [layer for layer in model.layers if type(layer).__name__ == "Bidirectional"]
    return counted + sum(
        layer.input.shape[1] * int(np.prod(w.shape)) for layer in loops for w in layer.weights if "kernel" in w.path
    )


def activation_bytes(model):
    """Estimate the memory that the outputs of all operations of a Keras model take for one row.

    Parameters
    ----------
    model : keras.Model
        The network. Axes of no fixed length count as 1.

    Returns
    -------
    n : int
        Bytes.
    """
    total = 0
    for operation in model.operations:
        if hasattr(operation, "operations"):
            total += activation_bytes(operation)
            continue
        outputs = operation.output if isinstance(operation.output, list | tuple) else [operation.output]
        for output in outputs:
            total += int(np.prod([n or 1 for n in output.shape[1:]])) * np.dtype(output.dtype).itemsize
    return total
