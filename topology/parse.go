package topology

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// maxNumberDigits bounds the digits of a decimal number in a file: enough for
// any int64 that the kernel prints.
const maxNumberDigits = 19

// maxMaskDigits bounds a mask: four CPUs a digit, and as much again of
// leading zeros, because the kernel pads to the size it was built for.
const maxMaskDigits = 2 * maxCPUs / 4

var errEmpty = errors.New("empty")

// parseList reads the kernel's list format: "0-3,8\n". Numbers of maxCPUs and
// above are left out. An empty list is the empty set.
func parseList(text string) (cpuSet, error) {
	var s cpuSet
	text = strings.TrimSpace(strings.TrimRight(text, "\x00"))
	if text == "" {
		return s, nil
	}
	for part := range strings.SplitSeq(text, ",") {
		part = strings.TrimSpace(part)
		lo, hi, ranged := strings.Cut(part, "-")
		first, err := parseNumber(lo)
		if err != nil {
			return nil, fmt.Errorf("list %q: %w", clip(text), err)
		}
		last := first
		if ranged {
			if last, err = parseNumber(hi); err != nil {
				return nil, fmt.Errorf("list %q: %w", clip(text), err)
			}
		}
		if last < first {
			return nil, fmt.Errorf("list %q: range %q runs backwards", clip(text), clip(part))
		}
		s.addRange(int(min(first, maxCPUs)), int(min(last, maxCPUs)))
	}
	return s, nil
}

// parseMask reads the kernel's mask format: hexadecimal words of 32 bits, the
// most significant first, with commas between them ("3,ffffffff") or, as old
// kernels and some tools print it, without.
func parseMask(text string) (cpuSet, error) {
	text = strings.TrimSpace(strings.TrimRight(text, "\x00"))
	if text == "" {
		return nil, fmt.Errorf("mask: %w", errEmpty)
	}
	digits, err := maskDigits(text)
	if err != nil {
		return nil, err
	}
	var s cpuSet
	for i := range len(digits) {
		v, ok := hexValue(digits[len(digits)-1-i])
		if !ok {
			return nil, fmt.Errorf("mask %q: %q is no hexadecimal digit", clip(text), digits[len(digits)-1-i])
		}
		for bit := range 4 {
			if v&(1<<bit) != 0 {
				s.add(4*i + bit)
			}
		}
	}
	return s, nil
}

// maskDigits joins the words of a mask to one hexadecimal number. Every word
// but the first stands for 32 bits however few digits it was printed with.
func maskDigits(text string) (string, error) {
	const wordDigits = 8
	var b strings.Builder
	for i, word := range strings.Split(text, ",") {
		word = strings.TrimPrefix(strings.TrimSpace(word), "0x")
		if word == "" {
			return "", fmt.Errorf("mask %q: %w word", clip(text), errEmpty)
		}
		if pad := wordDigits - len(word); i > 0 && pad > 0 {
			b.WriteString(strings.Repeat("0", pad))
		}
		b.WriteString(word)
		if b.Len() > maxMaskDigits {
			return "", fmt.Errorf("mask %q: more than %d digits", clip(text), maxMaskDigits)
		}
	}
	return b.String(), nil
}

func hexValue(c byte) (byte, bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10, true
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10, true
	default:
		return 0, false
	}
}

// parseNumber reads a decimal number without sign.
func parseNumber(text string) (int64, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return 0, errEmpty
	}
	if len(text) > maxNumberDigits {
		return 0, fmt.Errorf("number %q is too long", clip(text))
	}
	n, err := strconv.ParseUint(text, 10, 63)
	if err != nil {
		return 0, fmt.Errorf("%q is no number", clip(text))
	}
	return int64(n), nil
}

// leadingNumber reads the decimal digits that text begins with, as atoi does:
// "32K\n" is 32 and "-1" is -1.
func leadingNumber(text string) (int64, bool) {
	text = strings.TrimSpace(text)
	neg := strings.HasPrefix(text, "-")
	text = strings.TrimPrefix(text, "-")
	end := 0
	for end < len(text) && end < maxNumberDigits && '0' <= text[end] && text[end] <= '9' {
		end++
	}
	n, err := strconv.ParseInt(text[:end], 10, 64)
	if err != nil {
		return 0, false
	}
	if neg {
		n = -n
	}
	return n, true
}

// parseSize reads a cache size as sysfs prints it: "32K", rarely "1M" or plain
// bytes with no unit, which old kernels never used: a bare number is KiB.
func parseSize(text string) int64 {
	n, ok := leadingNumber(text)
	if !ok || n < 0 || n > 1<<40 {
		return 0
	}
	switch strings.TrimLeft(strings.TrimSpace(text), "0123456789") {
	case "M", "MB":
		return n << 20
	default:
		return n << 10
	}
}

// clip keeps a piece of somebody's file short enough for an error message.
func clip(s string) string {
	const most = 40
	if len(s) > most {
		return s[:most] + "..."
	}
	return s
}
