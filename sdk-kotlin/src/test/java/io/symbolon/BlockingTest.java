package io.symbolon;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import javax.crypto.spec.SecretKeySpec;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** How it looks from Java. */
@ExtendWith(WithDeployment.class)
class BlockingTest {
    private final Deployment deployment;
    private final byte[] text = "from Java".getBytes(StandardCharsets.UTF_8);

    @TempDir
    File folder;

    BlockingTest(Deployment deployment) {
        this.deployment = deployment;
    }

    private BlockingSymbolon client() {
        return BlockingSymbolon.fromProfile(deployment.getProfile());
    }

    @Test
    void bytes() {
        try (var symbolon = client()) {
            byte[] sealed = symbolon.encrypt("notes", text, Map.of("user", "42"));
            assertArrayEquals(text, symbolon.decrypt(sealed, Map.of("user", "42")));
            assertArrayEquals(text, symbolon.decrypt(symbolon.encrypt("notes", text)));
            assertEquals("notes", BlockingSymbolon.inspect(sealed).getKey());
            List<byte[]> many = symbolon.encryptMany("notes", List.of(new Message(text), new Message(text)));
            assertEquals(2, symbolon.decryptMany(many.stream().map(Message::new).toList()).size());
        }
    }

    @Test
    void streamsAndFiles() throws IOException {
        try (var symbolon = client()) {
            var sealed = new ByteArrayOutputStream();
            try (var out = symbolon.encryptTo("notes", sealed)) {
                out.write(text);
            }
            try (InputStream in = symbolon.decryptFrom(new ByteArrayInputStream(sealed.toByteArray()))) {
                assertArrayEquals(text, in.readAllBytes());
            }
            var plain = new File(folder, "plain");
            var target = new File(folder, "sealed");
            Files.write(plain.toPath(), text);
            symbolon.encryptFile("notes", plain, target, Map.of(), false, written -> assertTrue(written > 0));
            try (var channel = symbolon.open(target)) {
                var buffer = ByteBuffer.allocate(4);
                channel.position(5).read(buffer);
                assertEquals("Java", new String(buffer.array(), StandardCharsets.UTF_8));
            }
        }
    }

    @Test
    void keysAndDataKeys() {
        try (var symbolon = client()) {
            var made = symbolon.getKeys().create("java/volumes", Purpose.DATA_KEY);
            assertEquals(Purpose.DATA_KEY, made.getVersions().get(0).getPurpose());
            try (var key = symbolon.dataKey("java/volumes");
                    var again = symbolon.openDataKey(key.getWrapped())) {
                assertArrayEquals(text, again.open(key.seal(text, Map.of()), Map.of()));
            }
            assertEquals("java/volumes", symbolon.getKeys().list("java").get(0).getId());
        }
    }

    @Test
    void exceptionsAreUncheckedAndSealed() {
        try (var symbolon = client()) {
            var failure = assertThrows(SymbolonException.class, () -> symbolon.encrypt("nowhere", text));
            assertInstanceOf(SymbolonException.NotFound.class, failure);
            assertEquals("key-unknown", failure.getCode());
            symbolon.close();
            assertThrows(SymbolonException.Invalid.class, () -> symbolon.encrypt("notes", text));
        }
    }

    @Test
    void nothingInThePlaceOfSomethingHarmsNobody() {
        try (var symbolon = client()) {
            assertThrows(NullPointerException.class, () -> symbolon.encrypt(null, text));
            assertThrows(NullPointerException.class, () -> symbolon.encrypt("notes", null));
            var pairs = new HashMap<String, String>();
            pairs.put("name", null);
            assertThrows(NullPointerException.class, () -> symbolon.encrypt("notes", text, pairs));
            var key = new SecretKeySpec(text, "HmacSHA256");
            assertThrows(NullPointerException.class, () -> CustomerFragment.of(null, key));
            assertArrayEquals(text, symbolon.decrypt(symbolon.encrypt("notes", text)));
        }
    }

    @Test
    void anInterruptedThreadEndsItsOperation() throws Exception {
        try (var silent = new ServerSocket(0, 8, InetAddress.getLoopbackAddress())) {
            var profile = new File(deployment.getDirectory(), "interrupted.toml");
            var lines = Files.readAllLines(deployment.getProfile().toPath());
            lines.removeIf(line -> line.startsWith("access-manager"));
            lines.add(0, "access-manager = \"127.0.0.1:" + silent.getLocalPort() + "\"");
            Files.write(profile.toPath(), lines);
            try (var symbolon = BlockingSymbolon.fromProfile(profile)) {
                var outcome = new CompletableFuture<Throwable>();
                var thread = new Thread(() -> outcome.complete(
                        assertThrows(Throwable.class, () -> symbolon.encrypt("notes", text))));
                thread.start();
                try (var connection = silent.accept()) {
                    thread.interrupt();
                    assertInstanceOf(CancellationException.class, outcome.get());
                    connection.setSoTimeout(3_000);
                    connection.getInputStream().readAllBytes();
                }
            }
        }
    }
}
