package diff

import "testing"

func TestOf(t *testing.T) {
	for _, tt := range []struct {
		want, got any
		text      string
	}{
		{"a", "a", ""},
		{[]int{1}, []int{1}, ""},
		{nil, nil, ""},
		{1, 2, "- 1\n+ 2\n"},
		{"a", 1, "- a\n+ 1\n"},
		{[]string{"a"}, []string{}, "- [a]\n+ []\n"},
		{"x\na\nb\ny\n", "x\nc\ny\n", "- a\n- b\n+ c\n"},
		{"x\ny", "x\ny\n", "+ \n"},
	} {
		if got := Of(tt.want, tt.got); got != tt.text {
			t.Errorf("%q and %q: %q, want %q", tt.want, tt.got, got, tt.text)
		}
	}
}
