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
    EXPECT(is(bw_owner_key_read("owner", &again), "key-file"));
    EXPECT(is(bw_owner_key_read(NULL, &again), "argument"));
    EXPECT(is(bw_recipient_key_generate("rsa", &reader), "argument") && reader == NULL);
    EXPECT(bw_recipient_key_generate("p256", &reader) == 0 && bw_recipient_key_public(reader, &to) == 0);

    bw_bytes key = {0};
    EXPECT(bw_recipient_bytes(to, &key) == 0 && key.len == 65);
    EXPECT(bw_recipient_from_bytes("p256", key.data, key.len, &copy) == 0);
    EXPECT(is(bw_recipient_from_bytes("p256", key.data, key.len - 1, &copy), "key"));
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
    EXPECT(is(bw_object_read_range_file(object, "missing", 0, got, 1), "io"));
    EXPECT(bw_object_open_file(object, "body", "opened") == 0);
    EXPECT(is(bw_object_open_file(object, "plain", "never"), "wrong-body"));
    bw_bytes out = {0};
    EXPECT(is(bw_rewrap(object, other, recipients, 1, NULL, 0, &out), "rewrap") || out.len == 0);
    EXPECT(bw_rewrap(object, owner, recipients, 1, NULL, 0, &out) == 0 && out.len == 0);

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
