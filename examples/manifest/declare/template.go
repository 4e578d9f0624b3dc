package declare

import (
	"bytes"
	"fmt"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// What is said of files that are rendered before Kubernetes reads them.
const (
	helm      = "a template that is not rendered: give what `helm template` makes of it"
	kustomize = "a kustomization is not rendered: give what `kustomize build` makes of it"
)

// template returns the error of a file that is no YAML and has the braces of a template. The others are
// looked at where they count, since a rendered file may have such braces too.
func template(f File, err error) error {
	n := 0
	for line := range bytes.Lines(f.Content) {
		n++
		if text := strings.TrimSpace(string(line)); strings.Contains(text, "{{") && !strings.HasPrefix(text, "#") {
			return fmt.Errorf("line %d: %s", n, helm)
		}
	}
	return err
}

// free are the fields of a pod in which braces are a program's own.
var free = []string{"args", "command", "env", "annotations"}

// unrendered refuses an object with the braces of a template, or the directives of a patch.
func unrendered(n *yaml.Node, kind string) error {
	if n.Kind == yaml.ScalarNode && strings.Contains(n.Value, "{{") {
		return fmt.Errorf("line %d: %s", n.Line, helm)
	}
	for i, c := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 0 {
			if c.Kind == yaml.MappingNode { // {{ .Values.x }}
				return fmt.Errorf("line %d: %s", c.Line, helm)
			}
			if c.Value == "$patch" || c.Value == "$setElementOrder" || c.Value == "$deleteFromPrimitiveList" {
				return fmt.Errorf("line %d: a patch of a %s: give what `kustomize build` makes of it", c.Line, kind)
			}
			continue
		}
		if n.Kind == yaml.MappingNode && slices.Contains(free, n.Content[i-1].Value) {
			continue
		}
		if err := unrendered(c, kind); err != nil {
			return err
		}
	}
	return nil
}

// isKustomization reports whether kustomize would read the file, by its name.
func isKustomization(f File) bool {
	return slices.Contains([]string{"kustomization.yaml", "kustomization.yml", "Kustomization"}, path.Base(f.Name))
}
