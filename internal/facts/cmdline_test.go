package facts

import "testing"

func TestNoFileCaps(t *testing.T) {
	for line, want := range map[string]bool{
		"": false, "quiet no_file_caps\n": true, "no_file_caps": true, "root=/dev/vda no_file_caps -- single\n": true,
		"quiet -- no_file_caps\n": false, "no_file_caps=1\n": true, "no-file-caps": true, "no_file": false, "xno_file_caps\n": false,
	} {
		if got := NoFileCaps(line); got != want {
			t.Errorf("%q: %v", line, got)
		}
	}
}
