/* What must be refused without harm, files, and a bundle of the test vectors: refusals honest.json. Prints nothing when all holds. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "bailiwick.h"

#define EXPECT(condition) \
    do { \
        if (!(condition)) { \
            fprintf(stderr, "line %d: %s (%s)\n", __LINE__, #condition, bw_last_error()); \
            exit(1); \
        } \
    } while (0)

static bool is(int32_t code, const char *name) { return strcmp(bw_code_name(code), name) == 0; }

static void write_file(const char *path, const uint8_t *bytes, size_t len) {
    FILE *f = fopen(path, "wb");
    EXPECT(f != NULL && fwrite(bytes, 1, len, f) == len && fclose(f) == 0);
}

/* The value of a field of one line, "name": "...", unescaping what the vectors hold. */
static char *field(const char *json, const char *name) {
    char key[64];
    snprintf(key, sizeof key, "\"%s\":", name);
    const char *at = strstr(json, key);
    EXPECT(at != NULL);
    at += strlen(key);
    while (*at == ' ' || *at == '"') at++;
    char *out = malloc(strlen(at) + 1), *to = out;
    for (; *at != '"' && *at != ',' && *at != '\0'; at++) {
        if (*at == '\\') {
            at++;
            *to++ = *at == 'n' ? '\n' : *at;
        } else {
            *to++ = *at;
        }
    }
    *to = '\0';
    return out;
}

static size_t unhex(char *digits) {
    size_t n = strlen(digits) / 2;
    for (size_t i = 0; i < n; i++) {
        unsigned byte;
        EXPECT(sscanf(digits + 2 * i, "%2x", &byte) == 1);
        digits[i] = (char)byte;
    }
    return n;
}

/* field() stops at a comma outside of quotes only for numbers; policy and anchors hold commas. */
static char *text_field(const char *json, const char *name) {
    char key[64];
    snprintf(key, sizeof key, "\"%s\": \"", name);
    const char *at = strstr(json, key);
    EXPECT(at != NULL);
    at += strlen(key);
    char *out = malloc(strlen(at) + 1), *to = out;
    for (; *at != '"'; at++) {
        if (*at == '\\') {
            at++;
            *to++ = *at == 'n' ? '\n' : *at;
        } else {
            *to++ = *at;
        }
    }
    *to = '\0';
    return out;
}

static void judge(const char *path) {
    FILE *f = fopen(path, "rb");
    EXPECT(f != NULL);
    static char json[1 << 20];
    json[fread(json, 1, sizeof json - 1, f)] = '\0';
    fclose(f);
    char *policy = text_field(json, "policy"), *anchors = text_field(json, "anchors");
    char *bundle = text_field(json, "bundle"), *now = field(json, "now_unix_ms");
    size_t len = unhex(bundle);
    /* "verifying_keys": { "DIGEST": "KEY" } */
    char *keys = strstr(json, "\"verifying_keys\"");
    EXPECT(keys != NULL);
    char *digest = strchr(strchr(keys, '{'), '"') + 1;
    char name[96];
    snprintf(name, sizeof name, "keys/%.64s.vk", digest);
    char *key = strchr(digest + 65, '"') + 1;
    *strchr(key, '"') = '\0';
    size_t key_len = unhex(key);
    EXPECT(mkdir("keys", 0700) == 0);
    write_file(name, (const uint8_t *)key, key_len);

    uint8_t exit_code = 77;
    bw_bytes report = {0};
    uint64_t at = strtoull(now, NULL, 10);
    EXPECT(bw_verify((const uint8_t *)bundle, len, policy, anchors, "keys", at, &exit_code, &report) == 0);
    EXPECT(exit_code == 0 && report.len > 100 && report.data[0] == '{');
    bw_bytes_free(&report);
    EXPECT(report.data == NULL && report.len == 0);
    /* Two years later the same bundle proves nothing any more. */
    at += 63072000000ull;
    EXPECT(bw_verify((const uint8_t *)bundle, len, policy, anchors, "keys", at, &exit_code, NULL) == 0);
    EXPECT(exit_code != 0);
    EXPECT(is(bw_verify((const uint8_t *)bundle, len - 1, policy, anchors, "keys", at, &exit_code, NULL), "unusable"));
    EXPECT(is(bw_verify(NULL, 5, policy, anchors, "keys", at, &exit_code, NULL), "argument"));
    free(policy);
    free(anchors);
    free(bundle);
    free(now);
}

static uint8_t garbage[64];
#define PRESET(handle) memset(&(handle), 0xa5, sizeof (handle))
/* A failed call gives what means none, whatever stood there: nobody frees or uses garbage. */
#define GIVES_NO_HANDLE(handle, call) \
    do { \
        PRESET(handle); \
        EXPECT((call) != 0 && (handle) == NULL); \
    } while (0)
#define GIVES_NO_BYTES(bytes, call) \
    do { \
        PRESET(bytes); \
        EXPECT((call) != 0 && (bytes).data == NULL && (bytes).len == 0); \
        bw_bytes_free(&(bytes)); \
    } while (0)

static bool all(const uint8_t *bytes, size_t len, uint8_t value) {
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] != value) return false;
    }
    return true;
}

/* Every function that gives something, failing for each kind of reason: a NULL argument, a wrong value, something found at work. */
static void failures_give_nothing(const bw_object *object, const bw_owner_key *owner, const bw_owner_key *other, const bw_recipient *to) {
    bw_owner_key *o;
    bw_recipient_key *k;
    bw_recipient *r;
    bw_object *obj;
    bw_bytes one, two;
    uint8_t key[32], exit_code;
    const bw_recipient *once[] = {to}, *twice[] = {to, to};
    memset(garbage, 1, sizeof garbage);
    GIVES_NO_HANDLE(o, bw_owner_key_read("missing", &o));
    GIVES_NO_HANDLE(o, bw_owner_key_read(NULL, &o));
    GIVES_NO_HANDLE(k, bw_recipient_key_generate("rsa", &k));
    GIVES_NO_HANDLE(k, bw_recipient_key_read("plain", &k));
    GIVES_NO_HANDLE(k, bw_recipient_key_read(NULL, &k));
    GIVES_NO_HANDLE(r, bw_recipient_key_public(NULL, &r));
    GIVES_NO_HANDLE(r, bw_recipient_read("missing", &r));
    GIVES_NO_HANDLE(r, bw_recipient_read(NULL, &r));
    GIVES_NO_HANDLE(r, bw_recipient_from_bytes("x25519", garbage, 31, &r));
    GIVES_NO_HANDLE(r, bw_recipient_from_bytes(NULL, garbage, 32, &r));
    GIVES_NO_HANDLE(r, bw_recipient_from_bytes("x25519", NULL, 32, &r));
    GIVES_NO_HANDLE(obj, bw_object_new(garbage, sizeof garbage, garbage, NULL, 0, &obj));
    GIVES_NO_HANDLE(obj, bw_object_new(NULL, 1, garbage, NULL, 0, &obj));
    GIVES_NO_BYTES(one, bw_recipient_bytes(NULL, &one));
    GIVES_NO_BYTES(one, bw_rewrap(object, other, NULL, 0, once, 1, &one));
    GIVES_NO_BYTES(one, bw_rewrap(object, NULL, once, 1, NULL, 0, &one));
    GIVES_NO_BYTES(one, bw_rewrap(NULL, owner, NULL, 0, NULL, 0, &one));
    /* Two places: each is cleared, also when the other is NULL. */
    PRESET(two);
    GIVES_NO_BYTES(one, bw_seal(garbage, 1, owner, twice, 2, NULL, &one, &two));
    EXPECT(two.data == NULL && two.len == 0);
    GIVES_NO_BYTES(one, bw_seal(garbage, 1, NULL, once, 1, NULL, &one, &two));
    GIVES_NO_BYTES(one, bw_seal(garbage, 1, owner, once, 1, NULL, &one, NULL));
    GIVES_NO_BYTES(one, bw_seal(garbage, 1, owner, once, 1, NULL, NULL, &one));
    PRESET(two);
    GIVES_NO_BYTES(one, bw_object_open(object, garbage, sizeof garbage, &one, &two));
    EXPECT(two.data == NULL && two.len == 0);
    GIVES_NO_BYTES(one, bw_object_open(NULL, garbage, sizeof garbage, &one, NULL));
    GIVES_NO_BYTES(one, bw_object_open(object, garbage, sizeof garbage, NULL, &one));
    PRESET(key);
    EXPECT(bw_owner_public_read("missing", key) != 0 && all(key, sizeof key, 0));
    PRESET(key);
    EXPECT(bw_owner_key_public(NULL, key) != 0 && all(key, sizeof key, 0));
    /* 0 would say that everything holds. */
    exit_code = 0;
    GIVES_NO_BYTES(one, bw_verify(garbage, sizeof garbage, "", "", ".", 1, &exit_code, &one));
    EXPECT(exit_code == 2);
    exit_code = 0;
    GIVES_NO_BYTES(one, bw_verify(garbage, 1, "", "", NULL, 1, &exit_code, &one));
    EXPECT(exit_code == 2);
    GIVES_NO_BYTES(one, bw_verify(garbage, 1, "", "", ".", 1, NULL, &one));
    /* A range: the caller's buffer and nothing behind it. */
    uint8_t place[20];
    PRESET(place);
    EXPECT(is(bw_object_read_range_file(object, "body", 40000 - 9, place, 10), "range"));
    EXPECT(all(place, 10, 0) && all(place + 10, 10, 0xa5));
    PRESET(place);
    EXPECT(is(bw_object_read_range(object, garbage, sizeof garbage, 0, place, 10), "wrong-body"));
    EXPECT(all(place, 10, 0) && all(place + 10, 10, 0xa5));
}

int main(int argc, char **argv) {
    EXPECT(argc == 2);
    EXPECT(is(0, "ok") && is(12345, "unknown"));
    bw_owner_key *owner = NULL, *again = NULL, *other = NULL;
    bw_recipient_key *reader = NULL;
    bw_recipient *to = NULL, *copy = NULL;
    uint8_t public[32], theirs[32];
    EXPECT(is(bw_owner_key_generate(NULL), "argument"));
    EXPECT(bw_owner_key_generate(&owner) == 0 && bw_owner_key_generate(&other) == 0);
    EXPECT(bw_owner_key_write(owner, "owner") == 0);
    EXPECT(is(bw_owner_key_write(owner, "owner"), "io"));
    EXPECT(bw_owner_key_read("owner", &again) == 0);
    EXPECT(bw_owner_key_public(again, public) == 0 && bw_owner_key_public(other, theirs) == 0);
    EXPECT(chmod("owner", 0644) == 0);
    bw_owner_key *unread = (bw_owner_key *)public;
    EXPECT(is(bw_owner_key_read("owner", &unread), "key-file") && unread == NULL);
    EXPECT(is(bw_recipient_key_generate("rsa", &reader), "argument") && reader == NULL);
    EXPECT(bw_recipient_key_generate("p256", &reader) == 0 && bw_recipient_key_public(reader, &to) == 0);

    bw_bytes key = {0};
    EXPECT(bw_recipient_bytes(to, &key) == 0 && key.len == 65);
    EXPECT(bw_recipient_from_bytes("p256", key.data, key.len, &copy) == 0);
    bw_recipient *not_one = (bw_recipient *)public;
    EXPECT(is(bw_recipient_from_bytes("p256", key.data, key.len - 1, &not_one), "key") && not_one == NULL);
    bw_bytes_free(&key);
    bw_bytes_free(&key);
    bw_bytes_free(NULL);

    uint8_t data[40000], got[1000];
    for (size_t i = 0; i < sizeof data; i++) data[i] = (uint8_t)(i * 31);
    write_file("plain", data, sizeof data);
    const bw_recipient *recipients[] = {to, copy};
    EXPECT(bw_seal_file("plain", "body", "body.envelope", owner, recipients, 1, NULL) == 0);
    EXPECT(is(bw_seal_file("plain", "body", "x", owner, recipients, 1, NULL), "io"));
    EXPECT(is(bw_seal_file("plain", "twice", "x", owner, recipients, 2, NULL), "recipients"));
    EXPECT(is(bw_seal_file("plain", "nobody", "x", owner, NULL, 0, NULL), "recipients"));
    EXPECT(is(bw_seal_file("plain", "null", "x", owner, NULL, 1, NULL), "argument"));

    static uint8_t envelope[1 << 16];
    FILE *f = fopen("body.envelope", "rb");
    EXPECT(f != NULL);
    size_t len = fread(envelope, 1, sizeof envelope, f);
    fclose(f);
    const bw_recipient_key *keys[] = {reader};
    bw_object *object = NULL, *none = NULL;
    EXPECT(is(bw_object_new(envelope, len, theirs, keys, 1, &none), "envelope"));
    EXPECT(is(bw_object_new(envelope, len - 1, public, keys, 1, &none), "envelope"));
    EXPECT(is(bw_object_new(envelope, len, public, NULL, 0, &none), "no-recipient"));
    EXPECT(is(bw_object_new(envelope, len, NULL, keys, 1, &none), "argument"));
    EXPECT(none == NULL);
    EXPECT(bw_object_new(envelope, len, public, keys, 1, &object) == 0);
    EXPECT(bw_object_generation(object) == 1 && bw_object_generation(NULL) == 0);
    EXPECT(bw_object_read_range_file(object, "body", 16000, got, sizeof got) == 0);
    EXPECT(memcmp(got, data + 16000, sizeof got) == 0);
    EXPECT(is(bw_object_read_range_file(object, "body", sizeof data - 1, got, 2), "range"));
    EXPECT(bw_object_read_range_file(object, "body", sizeof data, NULL, 0) == 0);
    EXPECT(is(bw_object_read_range_file(object, "body", 0, NULL, 1), "argument"));
    /* Whatever fails, nothing of what was there stays. */
    got[0] = 7;
    EXPECT(is(bw_object_read_range_file(object, "missing", 0, got, 1), "io") && got[0] == 0);
    got[0] = 7;
    EXPECT(is(bw_object_read_range_file(NULL, "body", 0, got, 1), "argument") && got[0] == 0);
    got[0] = 7;
    EXPECT(is(bw_object_read_range(object, NULL, 1, 0, got, 1), "argument") && got[0] == 0);
    EXPECT(bw_object_open_file(object, "body", "opened") == 0);
    EXPECT(is(bw_object_open_file(object, "plain", "never"), "wrong-body"));
    bw_bytes out = {0};
    EXPECT(is(bw_rewrap(object, other, recipients, 1, NULL, 0, &out), "rewrap") || out.len == 0);
    EXPECT(bw_rewrap(object, owner, recipients, 1, NULL, 0, &out) == 0 && out.len == 0);

    failures_give_nothing(object, owner, other, to);
    judge(argv[1]);
    bw_object_free(object);
    bw_object_free(NULL);
    bw_recipient_free(to);
    bw_recipient_free(copy);
    bw_recipient_key_free(reader);
    bw_owner_key_free(owner);
    bw_owner_key_free(again);
    bw_owner_key_free(other);
    return 0;
}
