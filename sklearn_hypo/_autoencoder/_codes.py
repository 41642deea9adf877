"""The active entries of a batch, dense or sparse, and the products they take part in.

A step multiplies the activations A (rows by neurons) with the decoder, their transpose
with residuals, and needs the entries of one more product where A is not zero. Only
about k entries per row are, so each of these costs ``n_rows * k * n_features`` sparse
against ``n_rows * n_neurons * n_features`` dense; below some 16 neurons per active one
a plain matrix product is as fast. Both kinds answer the same calls, so that the loss
and its gradients are written once. Which entries are active, by Top-K or Batch Top-K,
says `ActivationSelector` at the end.
"""

import numpy as np


class DenseCodes:
    """Activations as a dense matrix beside the mask of what is active.

    Parameters
    ----------
    values : tensor of shape (n_rows, n_neurons)
        Zero where not active.
    mask : tensor of bool of shape (n_rows, n_neurons)
        The active entries.
    """

    def __init__(self, values, mask):
        self.values, self.mask = values, mask

    def block(self, start, stop):
        """Return the codes of the neurons from `start` to `stop`."""
        return DenseCodes(self.values[:, start:stop], self.mask[:, start:stop])

    def split(self, ends):
        """Return the codes of the blocks of neurons that end there."""
        return DenseBlocks(self, ends)

    @staticmethod
    def take_top(pre, k):
        """Return codes of the k largest entries of each row, whatever their sign."""
        mask = pre.new_zeros(pre.shape)
        mask.scatter_(1, pre.topk(min(k, pre.shape[1]), dim=1).indices, 1.0)
        return DenseCodes(pre * mask, mask > 0)

    def dense(self):
        """Return the activations as a dense matrix."""
        return self.values

    def take_entries(self, matrix, n_first):
        """Return, for each entry, the value of a matrix over the first neurons."""
        entries = matrix.new_zeros(self.mask.shape)
        entries[:, :n_first] = matrix * self.mask[:, :n_first]
        return entries

    def replace_values(self, values):
        """Return codes active at the same entries with other values."""
        return DenseCodes(values, self.mask)

    def multiply(self, matrix):
        """Return A @ matrix, of shape (n_rows, n_columns)."""
        return self.values @ matrix

    def multiply_transposed(self, matrix):
        """Return A.T @ matrix, of shape (n_neurons, n_columns)."""
        return self.values.T @ matrix

    def sample_product(self, left, right):
        """Return left @ right.T at the active entries."""
        return (left @ right.T).mul_(self.mask)

    def sum_by_neuron(self):
        """Return the sum of each neuron's activations."""
        return self.values.sum(0)

    def find_fired(self):
        """Return, as an array of bool, which neurons are active in some row."""
        return self.mask.any(dim=0).cpu().numpy()


class SparseCodes:
    """Activations as a list of their non-zero entries, on the CPU.

    Every product is a sum of few weighted rows per output row, which is what torch's
    ``embedding_bag`` computes, several times faster than a general sparse product.

    Parameters
    ----------
    rows, columns : ndarray of int64 of shape (n_entries,)
        Where the entries are, by increasing row.
    values : tensor of shape (n_entries,)
        The activations.
    shape : tuple of int
        (n_rows, n_neurons).
    """

    def __init__(self, rows, columns, values, shape):
        self.rows, self.columns, self.values, self.shape = rows, columns, values, shape
        self._order = None

    @classmethod
    def from_positions(cls, positions, values, shape):
        """Build codes from increasing positions in the flattened matrix of a shape."""
        import torch

        rows, columns = np.divmod(positions, shape[1])
        return cls(rows, columns, torch.as_tensor(values), shape)

    @classmethod
    def take_top(cls, pre, k):
        """Return codes of the k largest entries of each row, whatever their sign."""
        values, columns = pre.topk(min(k, pre.shape[1]), dim=1)
        rows = np.repeat(np.arange(len(pre)), columns.shape[1])
        return cls(rows, columns.flatten().numpy(), values.flatten(), tuple(pre.shape))

    def block(self, start, stop):
        """Return the codes of the neurons from `start` to `stop`."""
        if (start, stop) == (0, self.shape[1]):
            return self
        inside = np.flatnonzero((self.columns >= start) & (self.columns < stop))
        return SparseCodes(
            self.rows[inside],
            self.columns[inside] - start,
            self.values[inside],
            (self.shape[0], stop - start),
        )

    def split(self, ends):
        """Return the codes of the blocks of neurons that end there."""
        return SparseBlocks(self, ends)

    def dense(self):
        """Return the activations as a dense matrix."""
        matrix = self.values.new_zeros(self.shape)
        matrix[to_tensor(self.rows), to_tensor(self.columns)] = self.values
        return matrix

    def take_entries(self, matrix, n_first):
        """Return, for each entry, the value of a matrix over the first neurons."""
        entries = matrix.new_zeros(len(self.rows))
        inside = np.flatnonzero(self.columns < n_first)
        rows, columns = to_tensor(self.rows[inside]), to_tensor(self.columns[inside])
        entries[to_tensor(inside)] = matrix[rows, columns]
        return entries

    def replace_values(self, values):
        """Return codes active at the same entries with other values."""
        codes = SparseCodes(self.rows, self.columns, values, self.shape)
        codes._order = self._order
        return codes

    def multiply(self, matrix):
        """Return A @ matrix, of shape (n_rows, n_columns)."""
        return _sum_rows(self.columns, matrix, self.rows, self.values, self.shape[0])

    def multiply_transposed(self, matrix):
        """Return A.T @ matrix, of shape (n_neurons, n_columns)."""
        order = self.order_by_column()
        return _sum_rows(
            self.rows[order],
            matrix,
            self.columns[order],
            self.values[order],
            self.shape[1],
        )

    def sample_product(self, left, right):
        """Return left @ right.T at the active entries."""
        return _compute_sampled_product(left, right, self.rows, self.columns)

    def sum_by_neuron(self):
        """Return the sum of each neuron's activations."""
        sums = self.values.new_zeros(self.shape[1])
        return sums.index_add_(0, to_tensor(self.columns), self.values)

    def find_fired(self):
        """Return, as an array of bool, which neurons are active in some row."""
        return np.bincount(self.columns, minlength=self.shape[1]) > 0

    def order_by_column(self):
        """Return the order of the entries by column, then row."""
        if self._order is None:
            # sorting 16-bit integers is a radix sort, five times faster
            small = np.uint16 if self.shape[1] <= 2**16 else np.uint32
            self._order = np.argsort(self.columns.astype(small), kind="stable")
        return self._order


class DenseBlocks:
    """Dense codes as blocks of neurons, each with a matrix of its own to meet.

    Parameters
    ----------
    codes : DenseCodes
    ends : sequence of int
        Where the blocks end; the last is n_neurons.
    """

    def __init__(self, codes, ends):
        self._codes, starts = codes, (0, *ends[:-1])
        self._blocks = [slice(*pair) for pair in zip(starts, ends, strict=True)]

    def multiply(self, matrix):
        """Return A_g @ matrix_g, stacked: shape (n_blocks, n_rows, n_columns)."""
        import torch

        values = self._codes.values
        return torch.stack([values[:, block] @ matrix[block] for block in self._blocks])

    def multiply_transposed(self, matrices, factor):
        """Return factor * A_g.T @ matrices[g] as one matrix, a row per neuron."""
        import torch

        values = self._codes.values * factor
        pairs = zip(self._blocks, matrices, strict=True)
        return torch.cat([values[:, block].T @ matrix for block, matrix in pairs])

    def sample_product(self, lefts, right):
        """Return lefts[g] @ right_g.T at the active entries, as `codes` hold them."""
        import torch

        pairs = zip(lefts, self._blocks, strict=True)
        product = torch.cat([left @ right[block].T for left, block in pairs], dim=1)
        return product.mul_(self._codes.mask)


class SparseBlocks:
    """As `DenseBlocks`, for `SparseCodes`: all blocks in one pass over the entries.

    Row i of block g is row ``g * n_rows + i`` of a taller matrix.
    """

    def __init__(self, codes, ends):
        self._codes, self._n_blocks = codes, len(ends)
        self._rows, self._order = codes.rows, slice(None)
        if len(ends) > 1:
            numbers = np.arange(len(ends), dtype=np.min_scalar_type(len(ends)))
            block = np.repeat(numbers, np.diff(ends, prepend=0))[codes.columns]
            self._rows = codes.rows + codes.shape[0] * block.astype(np.int64)
            self._order = np.argsort(block, kind="stable")

    def multiply(self, matrix):
        """Return A_g @ matrix_g, stacked: shape (n_blocks, n_rows, n_columns)."""
        codes, order = self._codes, self._order
        sums = _sum_rows(
            codes.columns[order],
            matrix,
            self._rows[order],
            codes.values[order],
            self._n_blocks * codes.shape[0],
        )
        return sums.view(self._n_blocks, codes.shape[0], -1)

    def multiply_transposed(self, matrices, factor):
        """Return factor * A_g.T @ matrices[g] as one matrix, a row per neuron."""
        codes, order = self._codes, self._codes.order_by_column()
        return _sum_rows(
            self._rows[order],
            matrices.flatten(0, 1),
            codes.columns[order],
            (codes.values * factor)[order],
            codes.shape[1],
        )

    def sample_product(self, lefts, right):
        """Return lefts[g] @ right_g.T at the active entries, as `codes` hold them."""
        return _compute_sampled_product(
            lefts.flatten(0, 1), right, self._rows, self._codes.columns
        )


def to_tensor(array):
    """Return a tensor that shares memory with an array, or with a copy of it."""
    import torch

    # torch warns about read-only arrays, whatever is done with them
    return torch.from_numpy(array if array.flags.writeable else array.copy())


def _sum_rows(chosen, matrix, bags, factors, n_bags):
    """Return, for each bag, the sum of factor * matrix[chosen] over its entries.

    `chosen`, `bags` and `factors` have one value per entry; the bags increase.
    """
    from torch.nn.functional import embedding_bag

    starts = np.zeros(n_bags, dtype=np.int64)
    np.cumsum(np.bincount(bags, minlength=n_bags)[:-1], out=starts[1:])
    return embedding_bag(
        to_tensor(chosen),
        matrix,
        to_tensor(starts),
        mode="sum",
        per_sample_weights=factors,
    )


def _compute_sampled_product(left, right, rows, columns):
    """Return the dot products of left[rows] and right[columns]."""
    import torch

    kernel = getattr(torch.ops.aten, "_embedding_bag_per_sample_weights_backward", None)
    if kernel is None:  # a private operator: torch may rename it
        return torch.linalg.vecdot(left[to_tensor(rows)], right[to_tensor(columns)])
    starts = to_tensor(np.zeros(len(left), dtype=np.int64))
    return kernel(left, right, to_tensor(columns), starts, to_tensor(rows), 0)


def find_top_k(pre, k):
    """Mark the k largest positive pre-activations of each row.

    Among equal values the lower column wins.
    """
    n_neurons = pre.shape[1]
    if k >= n_neurons:
        return pre > 0
    kth = np.partition(pre, n_neurons - k, axis=1)[:, n_neurons - k, None]
    mask = pre >= np.maximum(kth, np.finfo(pre.dtype).tiny)
    tied = np.flatnonzero(np.count_nonzero(mask, axis=1) > k)
    for row in tied:  # rare: equal values at the boundary
        order = np.argsort(-pre[row], kind="stable")
        mask[row, order[k:]] = False
    return mask


def find_batch_top_k(pre, k):
    """Mark the n_rows * k largest positive pre-activations of a whole batch."""
    return pre >= find_kth_largest_positive(pre.ravel(), pre.shape[0] * k)


def find_kth_largest_positive(values, k):
    """Return the threshold that the k largest positive values reach.

    It is the smallest positive number if fewer than k are positive. Keeping ``values >=
    threshold`` keeps at least min(k, number of positive values) of them, and exactly
    that many where no two are equal.
    """
    smallest_positive = np.finfo(values.dtype).tiny
    if k >= len(values):
        return smallest_positive
    threshold = np.partition(values, len(values) - k)[len(values) - k]
    return max(threshold, smallest_positive)


def find_largest(values, k, guess=None):
    """Find where the k largest positive values are; more where several equal the k-th.

    Parameters
    ----------
    values : ndarray of shape (n,)
    k : int
    guess : float or None
        A positive number below the k-th largest value, most likely. It spares looking
        at the values below it; the result does not depend on it.

    Returns
    -------
    positions : ndarray of int of shape (n_found,)
        Increasing.
    threshold : float
        As `find_kth_largest_positive` has it.
    """
    if guess is not None:
        positions = np.flatnonzero(values >= guess)
        if len(positions) >= k:
            threshold = find_kth_largest_positive(values[positions], k)
            if len(positions) > k:
                positions = positions[values[positions] >= threshold]
            return positions, max(threshold, guess)
    threshold = find_kth_largest_positive(values, k)
    return np.flatnonzero(values >= threshold), threshold


class ActivationSelector:
    """Turns the pre-activations of a batch into its codes.

    `sparsity`, `k` and `engine` are those of the `Plan`.
    """

    def __init__(self, sparsity, k, engine):
        self.sparsity, self.k, self.engine = sparsity, k, engine
        self._guess = None

    def __call__(self, pre):
        """Return the codes of a tensor of shape (n_rows, n_neurons)."""
        import torch

        if pre.device.type != "cpu":
            mask = find_on_device(pre, self.sparsity, self.k)
            return DenseCodes(pre * mask, mask)
        values = pre.numpy()
        if self.engine == "dense":
            rule = find_batch_top_k if self.sparsity == "batch_topk" else find_top_k
            mask = torch.from_numpy(rule(values, self.k))
            return DenseCodes(pre * mask, mask)
        flat = values.reshape(-1)
        if self.sparsity == "batch_topk":
            n_kept = min(len(values) * self.k, len(flat))
            positions, threshold = find_largest(flat, n_kept, self._guess)
            # the threshold moves little from one batch to the next
            self._guess = 0.9 * float(threshold)
        else:
            positions = np.flatnonzero(find_top_k(values, self.k))
        return SparseCodes.from_positions(positions, flat[positions], values.shape)


def find_on_device(pre, sparsity, k):
    """Mark active entries in torch, which keeps the data on its device."""
    if sparsity == "batch_topk":
        n_kept = min(len(pre) * k, pre.numel())
        threshold = pre.flatten().topk(n_kept).values[-1]
        return (pre >= threshold) & (pre > 0)
    kept = pre.topk(min(k, pre.shape[1]), dim=1).indices
    return (pre.new_zeros(pre.shape).scatter_(1, kept, 1.0) > 0) & (pre > 0)
