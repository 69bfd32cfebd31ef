"""Places in YAML: nodes with their lines, for messages that say where a mistake stands."""

from __future__ import annotations

from collections.abc import Iterator

import yaml


def composed(text: str) -> yaml.Node | None:
    """The root node of a YAML text, by libyaml where PyYAML has it: ten times as fast. What it refuses, PyYAML's own
    parser explains: raises yaml.YAMLError."""
    try:
        return yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (yaml.YAMLError, UnicodeError):
        return yaml.compose(text, Loader=yaml.SafeLoader)


def line(node: yaml.Node) -> int:
    """Line of a node in its file, from 1."""
    return int(node.start_mark.line) + 1


def scalars(node: yaml.Node) -> Iterator[tuple[str, str]]:
    """Keys of a mapping whose values are scalars, with their texts; none where the node is no mapping."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode) and isinstance(value, yaml.ScalarNode):
                yield key.value, value.value


def find(node: yaml.Node, path: tuple[int | str, ...]) -> yaml.Node:
    """The node at a path of keys and positions, or the last one on the way to it."""
    for part in path:
        if isinstance(node, yaml.MappingNode):
            node = next((value for key, value in node.value if key.value == part), node)
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int):
            node = node.value[part]
    return node


def find_key(node: yaml.Node, path: tuple[int | str, ...]) -> yaml.Node:
    """The node of the last key of a path."""
    parent = find(node, path[:-1])
    keys = (key for key, _ in parent.value if isinstance(key, yaml.ScalarNode) and key.value == str(path[-1]))
    return next(keys, parent)


def duplicate_keys(entry: yaml.MappingNode) -> Iterator[yaml.Node]:
    """Keys that stand a second time in the entry, in one of its reports, or in its TLS setting."""
    values = [value for _, value in entry.value]
    nested = [item for value in values if isinstance(value, yaml.SequenceNode) for item in value.value]
    for mapping in (entry, *values, *nested):
        if isinstance(mapping, yaml.MappingNode):
            keys = [key for key, _ in mapping.value]
            yield from (key for at, key in enumerate(keys) if key.value in [earlier.value for earlier in keys[:at]])
