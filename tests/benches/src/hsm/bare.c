/* PKCS#11 without anything around it: the baseline of the HSM figures. One process, one session, the library called
 * directly. Arguments: module, label, PIN. Reads lines "seal N" and "sign N", does that N times, answers the seconds.
 *
 * A list of functions is two bytes of version and pointers in the standard's order; their numbers are below.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef unsigned long word;
typedef unsigned char byte;
typedef struct { word type; void *value; word length; } attribute;
typedef struct { word type; void *parameter; word length; } mechanism;
typedef struct { byte *iv; word iv_length, iv_bits; byte *aad; word aad_length, tag_bits; } gcm;
typedef struct { byte version[2]; void *functions[68]; } list;

enum { INITIALIZE = 0, GET_SLOT_LIST = 4, GET_TOKEN_INFO = 6, OPEN_SESSION = 12, LOGIN = 18, DESTROY_OBJECT = 22 };
enum { ENCRYPT_INIT = 29, ENCRYPT = 30, SIGN_INIT = 42, SIGN = 43 };
enum { GENERATE_KEY = 58, GENERATE_KEY_PAIR = 59, WRAP_KEY = 60, UNWRAP_KEY = 61 };
enum { AES_KEY_GEN = 0x1080, AES_GCM = 0x1087, EC_KEY_PAIR_GEN = 0x1040, ECDSA = 0x1041, KWP = 0x210b };

static list *pkcs11;
static word session, sealing, wrapping;
static byte blob[256];
static word blob_length = sizeof blob;

#define CALL(place, types, ...) check(#place, ((word (*) types)pkcs11->functions[place])(__VA_ARGS__))

static void check(const char *what, word returned) {
    if (returned == 0) return;
    fprintf(stderr, "%s: %#lx\n", what, returned);
    exit(1);
}

static byte yes = 1, no = 0;
static word private_key = 3, ec = 3, length = 32;

static word aes(byte *token, byte *encrypt, byte *wrap) {
    mechanism generate = { AES_KEY_GEN, NULL, 0 };
    attribute template[] = { { 0x161, &length, 8 }, { 0x001, token, 1 }, { 0x103, &yes, 1 }, { 0x162, &no, 1 },
        { 0x104, encrypt, 1 }, { 0x105, encrypt, 1 }, { 0x106, wrap, 1 }, { 0x107, wrap, 1 } };
    word key;
    CALL(GENERATE_KEY, (word, mechanism *, attribute *, word, word *), session, &generate, template, 8, &key);
    return key;
}

static void wrap_p256(void) {
    byte curve[] = { 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7 };
    mechanism generate = { EC_KEY_PAIR_GEN, NULL, 0 }, kwp = { KWP, NULL, 0 };
    attribute public[] = { { 0x180, curve, sizeof curve }, { 0x001, &no, 1 } };
    attribute private[] = { { 0x001, &no, 1 }, { 0x103, &yes, 1 }, { 0x162, &yes, 1 }, { 0x108, &yes, 1 } };
    word public_handle, private_handle;
    CALL(GENERATE_KEY_PAIR, (word, mechanism *, attribute *, word, attribute *, word, word *, word *), session, &generate,
         public, 2, private, 4, &public_handle, &private_handle);
    CALL(WRAP_KEY, (word, mechanism *, word, word, byte *, word *), session, &kwp, wrapping, private_handle, blob,
         &blob_length);
}

static void seal_one(void) {
    byte iv[12] = { 1 }, aad[8] = { 2 }, plaintext[32] = { 3 }, out[64];
    gcm parameters = { iv, sizeof iv, 96, aad, sizeof aad, 128 };
    mechanism how = { AES_GCM, &parameters, sizeof parameters };
    word written = sizeof out;
    CALL(ENCRYPT_INIT, (word, mechanism *, word), session, &how, sealing);
    CALL(ENCRYPT, (word, byte *, word, byte *, word *), session, plaintext, sizeof plaintext, out, &written);
}

static void sign_one(void) {
    attribute template[] = { { 0x000, &private_key, 8 }, { 0x100, &ec, 8 }, { 0x001, &no, 1 }, { 0x103, &yes, 1 },
        { 0x162, &no, 1 }, { 0x108, &yes, 1 } };
    mechanism kwp = { KWP, NULL, 0 }, ecdsa = { ECDSA, NULL, 0 };
    byte digest[32] = { 4 }, signature[128];
    word key, written = sizeof signature;
    CALL(UNWRAP_KEY, (word, mechanism *, word, byte *, word, attribute *, word, word *), session, &kwp, wrapping, blob,
         blob_length, template, 6, &key);
    CALL(SIGN_INIT, (word, mechanism *, word), session, &ecdsa, key);
    CALL(SIGN, (word, byte *, word, byte *, word *), session, digest, sizeof digest, signature, &written);
    CALL(DESTROY_OBJECT, (word, word), session, key);
}

static void open_token(const char *label, const char *pin) {
    word slots[16], count = 16;
    CALL(INITIALIZE, (void *), NULL);
    CALL(GET_SLOT_LIST, (byte, word *, word *), 1, slots, &count);
    for (word i = 0; i < count; i++) {
        byte info[256];
        CALL(GET_TOKEN_INFO, (word, byte *), slots[i], info);
        if (memcmp(info, label, strlen(label)) != 0) continue;
        CALL(OPEN_SESSION, (word, word, void *, void *, word *), slots[i], 6, NULL, NULL, &session);
        CALL(LOGIN, (word, word, const char *, word), session, 1, pin, strlen(pin));
        return;
    }
    fprintf(stderr, "no such token\n");
    exit(1);
}

int main(int count, char **words) {
    void *library = count == 4 ? dlopen(words[1], RTLD_NOW) : NULL;
    word (*get)(list **) = library ? (word (*)(list **))dlsym(library, "C_GetFunctionList") : NULL;
    char line[64];
    if (!get || get(&pkcs11) != 0) return 2;
    open_token(words[2], words[3]);
    sealing = aes(&no, &yes, &no);
    wrapping = aes(&yes, &no, &yes);
    wrap_p256();
    while (fgets(line, sizeof line, stdin)) {
        void (*one)(void) = line[1] == 'e' ? seal_one : sign_one;
        struct timespec begun, ended;
        clock_gettime(CLOCK_MONOTONIC, &begun);
        for (long n = strtol(line + 5, NULL, 10); n > 0; n--) one();
        clock_gettime(CLOCK_MONOTONIC, &ended);
        printf("%.9f\n", (double)(ended.tv_sec - begun.tv_sec) + (double)(ended.tv_nsec - begun.tv_nsec) / 1e9);
        fflush(stdout);
    }
    return 0;
}
