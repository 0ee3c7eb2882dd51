package event

import (
	"strings"
	"testing"
)

// What is not exactly as the gateway writes it could be read in two ways, by
// us and by the platform.
func TestPayloadsThatAreRefused(t *testing.T) {
	line := lines(key(1), "e", 2)[1]
	sig := `,"sig":"` + sigOf(line)
	body := strings.TrimSuffix(line, sig)
	with := func(old, new string) string {
		if !strings.Contains(line, old) {
			t.Fatalf("%s is not in %s", old, line)
		}
		return strings.Replace(line, old, new, 1)
	}
	for _, c := range []struct{ name, payload, want string }{
		{"nothing", "", `no member "sig"`},
		{"no signature", body + "}", `no member "sig"`},
		{"torn", line[:len(line)-1], "not the last member"},
		{"something behind the signature", strings.TrimSuffix(line, "}") + `,"x":1}`, "not the last member"},
		{"a signature that is too short", body + `,"sig":"AAAA"}`, "not 64 bytes"},
		{"a signature written in another way", strings.Replace(line, sig[len(sig)-5:], sig[len(sig)-5:len(sig)-4]+"\n"+sig[len(sig)-4:], 1), "not 64 bytes"},
		{"a signature within a member", `{"v":1,"x":{"y":1` + sig + "}", "not the last member"},
		{"two objects", body + "}" + body + sig, "stands behind"},
		{"an array", "[" + line + "]", "not the last member"},
		{"a member twice", with(`"n":2,`, `"n":2,"n":3,`), `"n" comes twice`},
		{"a member twice, once escaped", with(`"n":2,`, `"n":2,"\u006e":3,`), `"n" comes twice`},
		{"a second signature", with(`"n":2,`, `"n":2,"sig":"x",`), `"sig" comes twice`},
		{"a number that is none", with(`"n":2`, `"n":-2`), `"n"`},
		{"a number that is null", with(`"n":2`, `"n":null`), "begin with 1"},
		{"a name in capitals", with(`"n":2`, `"N":2`), `has "n" and "chain"`},
		{"number 0", with(`"n":2`, `"n":0`), "begin with 1"},
		{"no number", with(`"n":2,`, ""), `has "n" and "chain"`},
		{"a number, and not stored", with(`"n":2,`, `"n":2,"stored":false,`), `has "n" and "chain"`},
		{"another version", with(`"v":1`, `"v":2`), "version 2"},
		{"no epoch", with(`"epoch":"e",`, ""), `no member "epoch"`},
		{"an empty epoch", with(`"epoch":"e"`, `"epoch":""`), "an epoch and a kind"},
		{"no kind", with(`"kind":"alarm",`, ""), `no member "kind"`},
		{"a quality that is none", with(`"value":1`, `"q":"fine"`), "no quality"},
		{"a value that is an object", with(`"value":1`, `"value":{}`), "neither number"},
		{"a value beyond all bounds", with(`"value":1`, `"value":1e999`), "out of range"},
		{"a chain that is no hash", with(`"chain":"sha256:`, `"chain":"sha1:`), "no hash"},
		{"a chain that is too long", with(`","alg"`, `0","alg"`), "no hash"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if p, err := Parse([]byte(c.payload)); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s\ngot %+v, %v, want %q", c.payload, p, err, c.want)
			}
		})
	}
	if _, err := Parse([]byte(" " + line + "\r\n")); err != nil {
		t.Errorf("white space around it: %v", err)
	}
}

// A member of that name further inside is not the signature.
func TestASignatureIsTheLastMember(t *testing.T) {
	inner := map[string]any{"a": 1, "sig": "inner"}
	p, err := Parse(NewChain(key(1), "e").Next(Event{Kind: "config", More: []Field{{"old", inner}}}, at))
	if err != nil || !p.SignedBy(key(1).PublicKey()) {
		t.Fatalf("%+v, %v", p, err)
	}
}
