package facts

import "testing"

func FuzzProcTCP(f *testing.F) {
	f.Add("  sl\n   0: 0100007F:01BB 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 12345 1 0 100 0 0 10 0\n")
	f.Add("  sl\n   0: 00000000000000000000000001000000:01BB 0:0 0A 0:0 00:0 0 0 0 1\n")
	f.Fuzz(func(t *testing.T, text string) {
		found, err := ParseProcTCP([]byte(text), "tcp6", 443)
		for _, s := range found {
			if err != nil || s.Addr.Port() != 443 {
				t.Errorf("%+v, %v", s, err)
			}
		}
	})
}

func TestProcTCPRefuses(t *testing.T) {
	for _, row := range []string{"0: 0100007F:01BB", "0: 7F:01BB 0:0 0A 0:0 0:0 0 1 0 1", "0: 0100007F:01BB 0:0 0A 0:0 0:0 0 -1 0 1", "0: 0100007F 0:0 0A 0:0 0:0 0 1 0 1"} {
		if found, err := ParseProcTCP([]byte("sl\n"+row+"\n"), "tcp", 443); err == nil {
			t.Errorf("%q: %+v", row, found)
		}
	}
}

// What is cut short says nothing of who has the port: nobody is not an answer.
func TestProcTCPCutShort(t *testing.T) {
	const whole = "  sl\n   0: 0100007F:01BB 0:0 0A 0:0 00:0 0 1000 0 12345 1\n"
	if found, err := ParseProcTCP([]byte(whole), "tcp", 443); len(found) != 1 || err != nil {
		t.Errorf("%+v, %v", found, err)
	}
	for _, text := range []string{"", "\n", whole[:len(whole)-1], whole[:len(whole)-4], "  sl"} {
		if found, err := ParseProcTCP([]byte(text), "tcp", 443); err == nil {
			t.Errorf("%q: %+v", text, found)
		}
	}
}

// A socket that the table shows twice is one.
func TestProcTCPTwice(t *testing.T) {
	const row = "   0: 0100007F:01BB 0:0 0A 0:0 00:0 0 1000 0 12345 1\n"
	if found, err := ParseProcTCP([]byte("  sl\n"+row+row), "tcp", 443); len(found) != 1 || err != nil {
		t.Errorf("%+v, %v", found, err)
	}
}

func FuzzProcAddresses(f *testing.F) {
	f.Add("Main:\n     |-- 192.0.2.2\n        /32 host LOCAL\n", "fd000000000000000000000000000002 04 40 00 40     eth0\n")
	f.Add("     |-- x\n", "fd00 04\n")
	f.Fuzz(func(t *testing.T, trie, inet6 string) {
		v4, err := ParseFibTrie([]byte(trie))
		for _, a := range v4 {
			if err != nil || !a.IsValid() {
				t.Errorf("%v, %v", a, err)
			}
		}
		v6, tentative, err := ParseIfInet6([]byte(inet6))
		if len(tentative) > len(v6) {
			t.Errorf("%v of %v", tentative, v6)
		}
		for _, a := range v6 {
			if err != nil || !a.Is6() {
				t.Errorf("%v, %v", a, err)
			}
		}
	})
}
