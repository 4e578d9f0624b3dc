package declare

import (
	"fmt"

	"go.yaml.in/yaml/v3"
)

// maxRepeated is how many nodes the aliases of a document may repeat: each loader copies them.
const maxRepeated = 100_000

// bounded refuses a document whose aliases repeat more than maxRepeated nodes, or that contains
// itself. It looks at each node once.
func bounded(n *yaml.Node) error {
	_, err := repeats(n, map[*yaml.Node]int{})
	return err
}

// repeats returns how many nodes there are below n, with itself, once its aliases are copies. What
// it knows of anchors is in sizes, 0 for one that it is in; at nil is how many were repeated.
func repeats(n *yaml.Node, sizes map[*yaml.Node]int) (size int, err error) {
	if n.Kind == yaml.AliasNode {
		size, known := sizes[n.Alias]
		switch {
		case known && size == 0:
			return 0, fmt.Errorf("line %d: the anchor %q contains itself", n.Line, n.Value)
		case !known:
			return 0, fmt.Errorf("line %d: the alias %q comes before its anchor", n.Line, n.Value)
		}
		if sizes[nil] += size; sizes[nil] > maxRepeated {
			return 0, fmt.Errorf("line %d: the aliases up to here repeat more than %d nodes", n.Line, maxRepeated)
		}
		return size, nil
	}
	if n.Anchor != "" {
		sizes[n] = 0
	}
	size = 1
	for _, c := range n.Content {
		below, err := repeats(c, sizes)
		if err != nil {
			return 0, err
		}
		size += below
	}
	if n.Anchor != "" {
		sizes[n] = size
	}
	return size, nil
}
