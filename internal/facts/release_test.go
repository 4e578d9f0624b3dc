package facts

import "testing"

func TestRelease(t *testing.T) {
	for text, want := range map[string]Release{
		"6.12.0-rc1\n": {6, 12}, "5.10": {5, 10}, "4.4.0-19041-Microsoft\n": {4, 4}, "7.0+\n": {7, 0},
		"": {}, "6": {}, "6.": {}, ".12": {}, "-6.12": {}, "6.x": {}, "6.99999999999999999999": {}, " 6.12": {},
	} {
		got, err := parseRelease([]byte(text))
		if got != want || (err == nil) != (want != Release{}) {
			t.Errorf("%q: %v, %v, want %v", text, got, err, want)
		}
	}
}
