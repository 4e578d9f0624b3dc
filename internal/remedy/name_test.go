package remedy

import "testing"

func TestIsPlainName(t *testing.T) {
	for name, want := range map[string]bool{
		"lan": true, "lan-1.b_c": true, "_x": true, "9": true, "az": true, "AZ": true, "09": true,
		"": false, ".": false, "..": false, "-x": false, "a b": false, "a/b": false, "é": false, "a%": false, "a\n": false,
	} {
		if got := isPlainName(name); got != want {
			t.Errorf("%q: %t", name, got)
		}
	}
}
