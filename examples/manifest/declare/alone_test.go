package declare

import (
	"testing"
)

// What is read again for an edit of a pod does not grow with the number of pods beside it.
func TestAlone(t *testing.T) {
	again := func(pods int) (bytes int) {
		list := "apiVersion: v1\nkind: List\nitems:\n"
		for range pods {
			list += "- {apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: a, ports: [{containerPort: 80}]}]}}\n"
		}
		all, err := Read([]File{{"a.yaml", []byte(list)}}, Options{})
		if err != nil || len(all) != pods {
			t.Fatal(len(all), err)
		}
		for _, s := range all {
			for _, e := range s.Edits {
				changed, err := e.ChangeAlone(s.Alone)
				if err != nil {
					t.Fatal(err)
				}
				if one, err := Read([]File{{"a.yaml", changed}}, Options{}); err != nil || len(one) != 1 {
					t.Fatal(len(one), err)
				}
				bytes += len(changed)
			}
		}
		return bytes
	}
	if one, many := again(1), again(50); one == 0 || many != 50*one {
		t.Errorf("%d bytes for 1 pod, %d for 50", one, many)
	}
}
