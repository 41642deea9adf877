"""Frames that know their texts, and the names of their columns."""

from sklearn_hypo._utils._frames import number_columns


def test_names_sort_in_their_order():
    assert list(number_columns("neuron", 2)) == ["neuron000", "neuron001"]
    names = list(number_columns("neuron", 1001))
    assert names[-1] == "neuron1000"
    assert names == sorted(names)
