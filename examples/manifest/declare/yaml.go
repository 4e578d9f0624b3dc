package declare

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// documents reads the documents of a YAML file as nodes, which know their lines.
func documents(content []byte) (all []*yaml.Node, err error) {
	for d := yaml.NewDecoder(bytes.NewReader(content)); ; {
		n := &yaml.Node{}
		if err := d.Decode(n); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, errors.New(strings.TrimPrefix(err.Error(), "yaml: "))
		}
		if err := bounded(n); err != nil {
			return nil, err
		}
		if len(n.Content) > 0 {
			all = append(all, n.Content[0])
		}
	}
}

// field returns what a mapping has by a name, nil for nothing.
func field(n *yaml.Node, name string) *yaml.Node {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			return n.Content[i+1]
		}
	}
	return nil
}

// at follows a path of names and of indexes, and returns the last node that is there.
func at(n *yaml.Node, way ...string) (found *yaml.Node, whole bool) {
	for _, name := range way {
		next := field(n, name)
		if i, err := strconv.Atoi(name); err == nil && n.Kind == yaml.SequenceNode && i < len(n.Content) {
			next = n.Content[i]
		}
		if next == nil {
			return n, false
		}
		n = next
	}
	return n, true
}

// lineOf finds the line of a path such as "spec.containers[0].image" that an error names.
func lineOf(n *yaml.Node, where string) int {
	way := strings.FieldsFunc(where, func(r rune) bool { return r == '.' || r == '[' || r == ']' })
	found, _ := at(n, way...)
	line := found.Line
	parent, _ := at(n, way[:max(len(way)-1, 0)]...)
	if len(way) > 0 && parent.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(parent.Content); i += 2 {
			if parent.Content[i].Value == way[len(way)-1] {
				line = parent.Content[i].Line
			}
		}
	}
	return line
}

// mapping returns the mapping at a path, which it makes.
func mapping(n *yaml.Node, way ...string) (*yaml.Node, error) {
	for _, name := range way {
		next, whole := at(n, name)
		if whole && next.Kind == yaml.ScalarNode && next.Tag == "!!null" {
			next.Kind, next.Tag, next.Value = yaml.MappingNode, "!!map", ""
		}
		if !whole {
			if n.Kind != yaml.MappingNode {
				return nil, fmt.Errorf("%s is no mapping", name)
			}
			next = &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
			n.Content = append(n.Content, scalar(name), next)
		}
		n = next
	}
	return n, nil
}

func scalar(s string) *yaml.Node {
	n := &yaml.Node{}
	n.SetString(s)
	return n
}

// list returns the sequence that a mapping has by a name, which it makes.
func list(n *yaml.Node, name string) *yaml.Node {
	if l := field(n, name); l != nil {
		if l.Kind != yaml.SequenceNode {
			l.Kind, l.Tag, l.Value = yaml.SequenceNode, "!!seq", ""
		}
		return l
	}
	l := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
	n.Content = append(n.Content, scalar(name), l)
	return l
}

// set makes a field of a mapping that string.
func set(n *yaml.Node, name, value string) {
	if old := field(n, name); old != nil {
		*old = yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: value, Style: yaml.DoubleQuotedStyle}
		return
	}
	n.Content = append(n.Content, scalar(name), &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: value, Style: yaml.DoubleQuotedStyle})
}

// edited returns a change of the document of that number.
func edited(document int, change func(*yaml.Node) error) func([]byte) ([]byte, error) {
	return func(content []byte) ([]byte, error) {
		all, err := documents(content)
		if err != nil {
			return nil, err
		}
		if err := change(all[document]); err != nil {
			return nil, err
		}
		var out bytes.Buffer
		e := yaml.NewEncoder(&out)
		for _, n := range all {
			if err := e.Encode(n); err != nil {
				return nil, err
			}
		}
		return out.Bytes(), e.Close()
	}
}

// repeated returns a key that a mapping has twice, nil if none has.
func repeated(n *yaml.Node) *yaml.Node {
	had := map[string]bool{}
	for i, c := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 0 {
			if had[c.Value] {
				return c
			}
			had[c.Value] = true
		}
		if found := repeated(c); found != nil {
			return found
		}
	}
	return nil
}
