import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.polaris.core.storage.aws.AwsCredentialsStorageIntegration;
import org.apache.polaris.core.storage.aws.AwsStorageConfigurationInfo;
import software.amazon.awssdk.policybuilder.iam.IamPolicy;

/**
 * Answers each line {@code {"storageConfig", "locations": {"read", "list", "write"}}} with the policy
 * that Polaris sends to STS, {@code {"policy"}}, or with what it throws, {@code {"error"}}. With
 * {@code "milliseconds"} it measures for so long, and answers with {@code {"nanoseconds"}} a policy.
 */
public class Generator {
  // Half surrogates can't be written as UTF-8, so all is ASCII.
  static final ObjectMapper JSON =
      JsonMapper.builder().enable(JsonWriteFeature.ESCAPE_NON_ASCII).build();
  static final Method POLICY_STRING = policyString();

  static Method policyString() {
    try {
      Method method =
          AwsCredentialsStorageIntegration.class.getDeclaredMethod(
              "policyString",
              AwsStorageConfigurationInfo.class,
              Set.class,
              Set.class,
              Set.class,
              String.class);
      method.setAccessible(true);
      return method;
    } catch (NoSuchMethodException e) {
      throw new IllegalStateException(e);
    }
  }

  public static void main(String[] args) throws Exception {
    BufferedReader in =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      System.out.println(JSON.writeValueAsString(answer(JSON.readTree(line))));
    }
  }

  static Map<String, ?> answer(JsonNode session) {
    try {
      AwsStorageConfigurationInfo config = config(session.path("storageConfig"));
      JsonNode locations = session.path("locations");
      Set<String> read = set(locations.path("read"));
      Set<String> list = set(locations.path("list"));
      Set<String> write = set(locations.path("write"));
      if (!session.has("milliseconds")) {
        return Map.of("policy", policy(config, read, list, write));
      }
      long milliseconds = session.get("milliseconds").asLong();
      return Map.of("nanoseconds", measure(milliseconds, config, read, list, write));
    } catch (Exception e) {
      return Map.of("error", String.valueOf(e));
    }
  }

  /** As AwsCredentialsStorageIntegration.compute calls it. */
  static String policy(
      AwsStorageConfigurationInfo config, Set<String> read, Set<String> list, Set<String> write)
      throws Exception {
    try {
      return ((IamPolicy)
              POLICY_STRING.invoke(null, config, read, list, write, config.getRegion()))
          .toJson();
    } catch (InvocationTargetException e) {
      throw e.getCause() instanceof Exception cause ? cause : e;
    }
  }

  /** The fields that CatalogEntity takes from the management API's AwsStorageConfigInfo. */
  static AwsStorageConfigurationInfo config(JsonNode fields) {
    return AwsStorageConfigurationInfo.builder()
        .addAllAllowedLocations(list(fields.path("allowedLocations")))
        .storageName(text(fields, "storageName"))
        .roleARN(text(fields, "roleArn"))
        .currentKmsKey(text(fields, "currentKmsKey"))
        .allowedKmsKeys(list(fields.path("allowedKmsKeys")))
        .externalId(text(fields, "externalId"))
        .userARN(text(fields, "userArn"))
        .region(text(fields, "region"))
        .endpoint(text(fields, "endpoint"))
        .endpointInternal(text(fields, "endpointInternal"))
        .pathStyleAccess(flag(fields, "pathStyleAccess"))
        .stsUnavailable(flag(fields, "stsUnavailable"))
        .kmsUnavailable(flag(fields, "kmsUnavailable"))
        .stsEndpoint(text(fields, "stsEndpoint"))
        .build();
  }

  static String text(JsonNode fields, String name) {
    return fields.hasNonNull(name) ? fields.get(name).asText() : null;
  }

  static Boolean flag(JsonNode fields, String name) {
    return fields.hasNonNull(name) ? fields.get(name).asBoolean() : null;
  }

  static List<String> list(JsonNode values) {
    List<String> list = new ArrayList<>();
    values.forEach(value -> list.add(value.asText()));
    return list;
  }

  /** Polaris collects the locations of each access into a set, whose order means nothing. */
  static Set<String> set(JsonNode values) {
    return new HashSet<>(list(values));
  }

  /** The median of the later half of the calls, by which time their code is compiled. */
  static double measure(
      long milliseconds,
      AwsStorageConfigurationInfo config,
      Set<String> read,
      Set<String> list,
      Set<String> write)
      throws Exception {
    List<Long> times = new ArrayList<>();
    long length = 0;
    long end = System.nanoTime() + milliseconds * 1_000_000;
    for (long now = System.nanoTime(); times.isEmpty() || now < end; ) {
      length += policy(config, read, list, write).length();
      long after = System.nanoTime();
      times.add(after - now);
      now = after;
    }
    // The compiler may leave out work whose result nobody reads.
    if (length == 0) throw new IllegalStateException("Every policy was empty.");
    List<Long> later = new ArrayList<>(times.subList(times.size() / 2, times.size()));
    Collections.sort(later);
    return later.get(later.size() / 2);
  }
}
